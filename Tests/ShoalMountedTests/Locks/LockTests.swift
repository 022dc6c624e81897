import Testing

extension MountedTests {
    @Suite("Locks on both mounts", .serialized)
    struct LockTests {
        private func python(_ cluster: Cluster, _ words: String) throws -> String {
            try Files.write(Array(LockProgram.text.utf8), to: "\(cluster.root)/locks.py")
            return try cluster.bash("python3 \(cluster.root)/locks.py \(words)").trimmed
        }
        private func seconds(_ text: String) throws -> [Double] {
            try text.split(separator: " ").map { try #require(Double($0)) }
        }

        @Test("a counter loses no increment, waits wake at once and end with a signal, whichever call locks")
        func everyCall() throws {
            try Cluster.with { cluster in
                for how in ["posix", "ofd", "flock", "lockf"] {
                    #expect(try python(cluster, "count \(how) 4 10 $A/\(how) $B/\(how)") == "80", "\(how)")
                }
                for how in ["posix", "ofd", "flock"] {
                    let wake = try seconds(python(cluster, "wakes \(how) $A/wake-\(how) $B/wake-\(how)"))
                    #expect(wake[0] < 0.5, "\(how)")
                    let killed = try seconds(python(cluster, "killed \(how) $A/kill-\(how) $B/kill-\(how)"))
                    #expect(killed[0] < 1, "\(how)")
                    #expect(try python(cluster, "interrupted \(how) $A/stop-\(how) $B/stop-\(how)") == "ok", "\(how)")
                }
                #expect(try python(cluster, "circle $A/circle $B/circle") == "[0, 35]")
                #expect(try python(cluster, "tested $A/tested $B/tested") == "ok")
            }
        }

        @Test("a thousand blocked waiters on one mount hold up nobody else")
        func crowd() throws {
            try Cluster.with { cluster in
                let times = try seconds(python(cluster, "crowd 1000 $A/crowd $B/crowd $A"))
                print("beside 1000 waiters: \(times[0]) s for 50 rounds; all through in \(times[1]) s")
                #expect(times[0] < 10)
                #expect(times[1] < 20)
            }
        }

        @Test("locks outlive a kill -9 of the metadata server, and end with that of their mount, within the term")
        func kills() throws {
            try Cluster.with { cluster in
                try Files.write(Array(LockProgram.text.utf8), to: "\(cluster.root)/locks.py")
                let program = "\(cluster.root)/locks.py"
                let (ready, go) = ("\(cluster.root)/ready", "\(cluster.root)/go")
                try cluster.bash("mkfifo \(ready) \(go)")
                var holder = try Command(["python3", program, "held", "\(cluster.a)/f", ready, go])
                try cluster.bash("cat \(ready)")
                try cluster.killProcess(try cluster.state().meta.process)
                try cluster.up()
                for how in ["posix", "flock"] {
                    #expect(try python(cluster, "free \(how) $B/f") == "False", "\(how)")
                }
                try cluster.bash(": > \(go)")
                let output = holder.wait()
                #expect(output.out == "ok\n", "\(output.err)")
                #expect(try cluster.bash("cat $B/f") == "still here")
                for how in ["posix", "flock"] {
                    #expect(try python(cluster, "free \(how) $B/f") == "True", "\(how)")
                }

                holder = try Command(["python3", program, "held", "\(cluster.a)/f", ready, go])
                try cluster.bash("cat \(ready)")
                try cluster.killProcess(try #require(try cluster.state().mounts.first).process)
                let waited = try seconds(python(cluster, "timed posix $B/f"))
                #expect(waited[0] < 12)
                #expect(try python(cluster, "free flock $B/f") == "True")
                try cluster.bash(": > \(go)")
                #expect(!holder.wait().isSuccess)
            }
        }

        @Test("sqlite writes from both mounts at once, in each journal mode, lose nothing")
        func sqlite() throws {
            try Cluster.with { cluster in
                let output = try cluster.bash(
                    """
                    for m in delete truncate persist memory off wal; do
                        s="pragma journal_mode=$m;"
                        sqlite3 $A/$m.db "$s create table t(n integer primary key, w text);" > /dev/null
                        for d in $A $B; do for w in 1 2; do (
                            for i in 1 2 3 4; do
                                sqlite3 -cmd '.timeout 30000' $d/$m.db "$s begin immediate;
                                    insert into t(w) values('a'); insert into t(w) values('b'); commit;" > /dev/null
                            done ) & p="${p:-} $!"; done; done
                        for q in $p; do wait $q; done; p=
                        sqlite3 $B/$m.db 'pragma integrity_check; select count(*) from t;' | tr '\\n' ' '
                    done
                    """)
                #expect(output == String(repeating: "ok 32 ", count: 6))
            }
        }

        @Test("git commits from both mounts beside git gc; every commit is there and the repository is whole")
        func git() throws {
            try Cluster.with { cluster in
                let output = try cluster.bash(
                    """
                    export GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@t
                    export GIT_CONFIG_GLOBAL=/dev/null
                    git init -q -b main $A/r && cd $A/r && git commit -q --allow-empty -m start
                    git worktree add -q -b other $A/w && cp $A/w/.git $T/ignored
                    sed -i "s|$A|$B|" $A/w/.git $A/r/.git/worktrees/w/gitdir
                    ( cd $A/r; for i in $(seq 6); do echo $i > a$i; git add a$i; git commit -qm a$i; done ) & one=$!
                    ( cd $B/w; for i in $(seq 6); do echo $i > b$i; git add b$i; git commit -qm b$i; done ) & two=$!
                    for i in 1 2 3; do git -C $B/r gc -q; done
                    wait $one; wait $two
                    git -C $A/r fsck --full 2>&1 | grep -v '^dangling' || true
                    git -C $A/r log --oneline main | wc -l; git -C $A/r log --oneline other | wc -l
                    """)
                #expect(output == "7\n7\n")
            }
        }
    }
}

extension String {
    /// Without the newline at the end.
    fileprivate var trimmed: String { last == "\n" ? String(dropLast()) : self }
}
