import Testing

extension MountedTests {
    @Suite("Ordinary tools on both mounts", .serialized)
    struct ToolTests {
        @Test("git clones, checks and shows a repository; a commit from one mount is there on the other")
        func git() throws {
            try Cluster.with { cluster in
                let log = try cluster.bash(
                    """
                    export GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@t
                    export GIT_CONFIG_GLOBAL=/dev/null
                    git init -q -b main $T/origin && cp -r /usr/include/linux $T/origin && cd $T/origin
                    git add . && git commit -qm first && echo second > new && git add new && git commit -qm second
                    git clone -q --no-hardlinks $T/origin $A/clone
                    git -C $A/clone fsck --full && git -C $B/clone fsck --full
                    test -z "$(git -C $B/clone status --porcelain)"
                    cd $B/clone && echo third > third && git add third && git commit -qm third && git gc -q
                    git -C $A/clone log --format=%s && git -C $A/clone fsck --full
                    """)
                #expect(log == "third\nsecond\nfirst\n")
            }
        }

        @Test("sqlite3 makes a database on one mount, and it is whole and writable on the other")
        func sqlite() throws {
            try Cluster.with { cluster in
                let output = try cluster.bash(
                    """
                    sqlite3 $A/db 'create table t(n integer primary key, x text);
                        with recursive c(n) as (select 1 union all select n+1 from c where n < 5000)
                        insert into t select n, hex(randomblob(50)) from c;'
                    sqlite3 $B/db 'pragma integrity_check; select count(*) from t; insert into t(x) values (1);'
                    for i in $(seq 20); do sqlite3 $A/db "insert into t(x) values ($i)"; sqlite3 $B/db 'delete from t where n = 1'; done
                    sqlite3 $A/db 'pragma integrity_check; select count(*) from t;'
                    """)
                #expect(output == "ok\n5000\nok\n5020\n")
            }
        }

        @Test("python3 -m venv makes an environment that works from both mounts")
        func virtualEnvironment() throws {
            try Cluster.with { cluster in
                let output = try cluster.bash(
                    """
                    python3 -m venv $A/env
                    $A/env/bin/python -m pip --version > /dev/null
                    $B/env/bin/python -c 'import sys, pip; print(sys.prefix != sys.base_prefix)'
                    """, secondsMax: 240)
                #expect(output == "True\n")
            }
        }

        @Test(
            "make builds a C program on one mount, sees that nothing is to do on the other, and builds again after an edit"
        )
        func make() throws {
            try Cluster.with { cluster in
                let output = try cluster.bash(
                    #"""
                    mkdir $A/src && cd $A/src
                    printf '#include <stdio.h>\n#include "v.h"\nint main(void) { printf("%%d\\n", V); }\n' > main.c
                    echo '#define V 1' > v.h
                    printf 'main: main.o\n\tcc -o main main.o\nmain.o: main.c v.h\n\tcc -c main.c\n' > Makefile
                    make -s && ./main
                    cd $B/src && make -q && ./main
                    echo '#define V 2' > v.h && touch -d '+2 seconds' v.h
                    cd $A/src && ! make -q && make -s && $B/src/main
                    """#)
                #expect(output == "1\n1\n2\n")
            }
        }
    }
}
