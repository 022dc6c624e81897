import Testing

extension MountedTests {
    @Suite("Mapped files", .serialized)
    struct MappingTests {
        @Test("A compiler and a linker build on the mount, and what they built runs there and is busy while it does")
        func programs() throws {
            try Cluster.with { cluster in
                try cluster.bash(
                    """
                    mkdir $A/src && cd $A/src
                    for n in $(seq 8); do echo "int f$n(int x) { return x * $n; }" > f$n.c; done
                    { for n in $(seq 8); do echo "int f$n(int);"; done
                      echo '#include <stdio.h>'
                      echo '#include <unistd.h>'
                      echo 'int main(int c, char **v) { if (c > 1) pause(); printf("%d\\n", f8(2)); }'; } > main.c
                    gcc -g -shared -fPIC -o libf.so f?.c && gcc -g -o program main.c -L. -lf -Wl,-rpath,$PWD
                    test "$(./program)" = 16
                    test "$($B/src/program)" = 16
                    cp program busy && { ./busy wait & }
                    while ! test "$(readlink /proc/$!/exe)" = $A/src/busy; do :; done
                    if cp main.c busy 2> $T/err; then exit 1; fi
                    kill $!
                    grep -q 'Text file busy' $T/err
                    """)
            }
        }

        @Test("Shared mappings, read and write calls see the same bytes, whichever mount they go through")
        func sharedMapping() throws {
            try Cluster.with { cluster in
                try cluster.bash(
                    #"""
                    cat > $T/map.py <<'EOF'
                    import mmap, os, sys
                    a, b = sys.argv[1] + '/f', sys.argv[2] + '/f'
                    file = os.open(a, os.O_RDWR | os.O_CREAT)
                    os.write(file, b'x' * 300000)
                    m = mmap.mmap(file, 300000)
                    m[100000:100005] = b'store'
                    assert os.pread(file, 5, 100000) == b'store'
                    os.pwrite(file, b'write', 200000)
                    assert m[200000:200005] == b'write'
                    # Read only, and mapped so: its pages may not survive the next open.
                    reader = os.open(b, os.O_RDONLY)
                    loads = mmap.mmap(reader, 300000, prot=mmap.PROT_READ)
                    assert loads[100000:100005] == b'store'
                    other = os.open(b, os.O_RDWR)
                    n = mmap.mmap(other, 300000)
                    for i in range(200):
                        text, place = b'%05d' % i, i * 1300
                        m[place:place + 5] = text
                        assert n[place:place + 5] == text and loads[place:place + 5] == text
                        assert os.pread(other, 5, place) == text
                        text = b'%05d' % (i + 1000)
                        n[place:place + 5] = text
                        assert m[place:place + 5] == text and os.pread(file, 5, place) == text
                        text = b'%05d' % (i + 2000)
                        os.pwrite(other, text, place)
                        assert m[place:place + 5] == text and n[place:place + 5] == text
                    # Each stores while the other has the file as well.
                    m[0:4] = b'mine'
                    os.pwrite(other, b'your', 8192)
                    assert m[8192:8196] == b'your'
                    assert os.pread(other, 4, 0) == b'mine'
                    loads.close(); n.close()
                    assert os.pread(other, 4, 8192) == b'your'
                    private = mmap.mmap(file, 300000, flags=mmap.MAP_PRIVATE)
                    private[0:4] = b'none'
                    assert os.pread(other, 4, 0) == b'mine'
                    m.close(); private.close()
                    os.ftruncate(other, 100)
                    assert os.fstat(file).st_size == 100
                    EOF
                    python3 $T/map.py $A $B
                    """#)
            }
        }

        @Test("Stores through a mapping survive when the other mount cuts or removes the file at the same time")
        func foreignTruncation() throws {
            try Cluster.with { cluster in
                try cluster.bash(
                    #"""
                    cat > $T/cut.py <<'EOF'
                    import mmap, os, sys
                    a, b = sys.argv[1] + '/g', sys.argv[2] + '/g'
                    for n in range(40):
                        file = os.open(a, os.O_RDWR | os.O_CREAT)
                        os.ftruncate(file, 65536)
                        m = mmap.mmap(file, 65536)
                        m[0:4] = b'head'
                        m[60000:60004] = b'tail'
                        if n % 2:
                            os.truncate(b, 100)
                            m.flush()
                            os.close(file)
                            assert os.stat(b).st_size == 100
                            assert open(b, 'rb').read(4) == b'head'
                        else:
                            os.unlink(b)
                            m.flush()
                            assert os.pread(file, 4, 60000) == b'tail'
                            os.close(file)
                        m.close()
                    EOF
                    timeout 100 python3 $T/cut.py $A $B
                    """#)
            }
        }

        @Test("A counter in a shared mapping, under a record lock, on two mounts loses no increment")
        func counter() throws {
            try Cluster.with { cluster in
                try cluster.bash(
                    #"""
                    cat > $T/counter.py <<'EOF'
                    import fcntl, mmap, multiprocessing, os, sys
                    def count(directory):
                        file = os.open(directory + '/counter', os.O_RDWR)
                        m = mmap.mmap(file, 32768)
                        for n in range(150):
                            fcntl.lockf(file, fcntl.LOCK_EX, 8, 0)
                            m[20000:20008] = (int.from_bytes(m[20000:20008], 'little') + 1).to_bytes(8, 'little')
                            fcntl.lockf(file, fcntl.LOCK_UN, 8, 0)
                    with open(sys.argv[1] + '/counter', 'wb') as file: file.truncate(32768)
                    workers = [multiprocessing.Process(target=count, args=(sys.argv[1 + n % 2],)) for n in range(4)]
                    for w in workers: w.start()
                    for w in workers: w.join()
                    with open(sys.argv[2] + '/counter', 'rb') as file: content = file.read()
                    assert int.from_bytes(content[20000:20008], 'little') == 600, content[20000:20008]
                    EOF
                    python3 $T/counter.py $A $B
                    """#)
            }
        }

        @Test("sqlite with a write-ahead log and with mapped I/O, written from both mounts at once; git with its packs")
        func databases() throws {
            try Cluster.with { cluster in
                try cluster.bash(
                    #"""
                    cat > $T/db.py <<'EOF'
                    import sqlite3, sys, multiprocessing
                    def run(number):
                        db = sqlite3.connect(sys.argv[1 + number % 2] + '/db', timeout=60)
                        db.execute('pragma mmap_size=268435456')
                        for n in range(40):
                            with db: db.execute('insert into t values (?, ?)', (number, n))
                    # Closed before the others begin: a connection does not survive fork(2).
                    db = sqlite3.connect(sys.argv[1] + '/db')
                    assert db.execute('pragma journal_mode=wal').fetchone() == ('wal',)
                    db.execute('create table t (a, b)')
                    db.close()
                    workers = [multiprocessing.Process(target=run, args=(n,)) for n in range(4)]
                    for w in workers: w.start()
                    for w in workers: w.join()
                    db = sqlite3.connect(sys.argv[2] + '/db')
                    assert db.execute('select count(*), count(distinct a * 1000 + b) from t').fetchone() == (160, 160)
                    assert db.execute('pragma integrity_check').fetchone() == ('ok',)
                    EOF
                    python3 $T/db.py $A $B
                    git init -q $A/repo && cd $A/repo && git config user.name t && git config user.email t@t
                    cp -r /usr/include/linux . && git add . && git commit -qm one && git gc -q
                    git -C $B/repo fsck --full && git -C $B/repo log --oneline | grep -q one
                    """#)
            }
        }
    }
}
