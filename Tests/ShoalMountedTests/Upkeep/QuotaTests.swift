import Testing

extension MountedTests {
    @Suite("Quotas", .serialized)
    struct QuotaTests {
        @Test("dd and many creations stop at the limit with EDQUOT, df shows it, and what is removed makes room")
        func limits() throws {
            try Cluster.with { cluster in
                try cluster.bash(
                    #"""
                    set -euo pipefail
                    mkdir $A/q
                    $SHOAL quota set /q --bytes 10M --inodes 20 --dir $DIR
                    if dd if=/dev/zero of=$A/q/big bs=1M count=20 2> $T/err; then echo "dd went past the quota"; exit 1; fi
                    grep -q "Disk quota exceeded" $T/err
                    test "$(stat -c %s $B/q/big)" = 10485760
                    test "$(df --output=size,used,avail -B1M $B/q | tail -1 | tr -s ' ')" = " 10 10 0"
                    test "$(df --output=itotal,iused,iavail $B/q | tail -1 | tr -s ' ')" = " 20 1 19"
                    if echo x >> $B/q/big 2> $T/err; then echo "an append went past the quota"; exit 1; fi
                    grep -q "Disk quota exceeded" $T/err
                    if truncate -s 11M $A/q/big 2> $T/err; then exit 1; fi
                    dd if=/dev/zero of=$B/q/big bs=1M count=10 conv=notrunc 2> /dev/null
                    truncate -s 4M $A/q/big
                    dd if=/dev/zero of=$B/q/more bs=1M count=6 2> /dev/null
                    for i in $(seq 18); do : > $B/q/f$i; done
                    if : > $A/q/last 2> $T/err; then exit 1; fi
                    if mkdir $B/q/last 2> $T/err; then exit 1; fi
                    grep -q "Disk quota exceeded" $T/err
                    : > $A/outside
                    rm $A/q/f1
                    : > $B/q/last
                    mkdir $A/other; echo x > $A/other/f
                    if mv -n $A/other $A/q/other 2> $T/err; then exit 1; fi
                    rm $A/q/f2 $A/q/f3 $A/q/more
                    mv $A/other $A/q/other
                    test "$(cat $B/q/other/f)" = x
                    if ln $A/outside $A/q/link 2> $T/err; then exit 1; fi
                    grep -q "cross-device" $T/err
                    $SHOAL quota show /q/other --dir $DIR | tee $T/show
                    grep -Eq '^/q +4.0 MiB +10.0 MiB +19 +20 +active' $T/show
                    $SHOAL quota remove /q --dir $DIR
                    dd if=/dev/zero of=$A/q/big bs=1M count=20 2> /dev/null
                    $SHOAL quota show /q --dir $DIR | grep -q "no quota"
                    """#)
            }
        }

        @Test(
            "eight writers on two mounts at once never get past the limit, and what they were told was written is there"
        )
        func together() throws {
            try Cluster.with { cluster in
                let worker = """
                    import errno, os, random, sys
                    root, number = sys.argv[1], int(sys.argv[2])
                    chance, kept, refused = random.Random(number), {}, 0
                    while refused < 5:
                        name = f"{root}/q/{number}-{chance.randrange(6)}"
                        data = bytes([chance.randrange(256)]) * chance.randrange(1, 300000)
                        try:
                            file = os.open(name, os.O_WRONLY | os.O_CREAT, 0o644)
                        except OSError as error:
                            assert error.errno == errno.EDQUOT, error
                            refused += 1
                            continue
                        offset, done = kept.get(name, 0), 0
                        try:
                            while done < len(data):
                                done += os.pwrite(file, data[done:], offset + done)
                        except OSError as error:
                            assert error.errno == errno.EDQUOT, error
                            refused += 1
                        kept[name] = offset + done
                        if chance.randrange(3) == 0:
                            os.fsync(file)
                        os.close(file)
                    for name, size in kept.items():
                        assert os.stat(name).st_size == size, (name, size, os.stat(name).st_size)
                    """
                try cluster.bash("mkdir $A/q && $SHOAL quota set /q --bytes 16M --inodes 40 --dir $DIR")
                let workers = try (0..<8).map {
                    try Command(["python3", "-c", worker, cluster.mounts[$0 % 2], "\($0)"])
                }
                for worker in workers {
                    let output = worker.wait()
                    #expect(output.isSuccess, "\(output.err)")
                }
                try cluster.bash(
                    #"""
                    set -euo pipefail
                    sum=$(find $A/q -type f -printf '%s\n' | awk '{s+=$1} END {print s}')
                    echo "$sum bytes written"
                    test $sum -le 16777216
                    test $sum -ge 15000000
                    test "$(df --output=used -B1 $B/q | tail -1 | tr -d ' ')" -le 16777216
                    """#)
            }
        }

        @Test("usage is what a walk counts after random work on two mounts, on a tree that was full before its quota")
        func usage() throws {
            try Cluster.with { cluster in
                try cluster.bash(
                    #"""
                    set -euo pipefail
                    mkdir -p $A/q/deep/er
                    cp -r /etc/default $A/q/deep/er/copy
                    : > $A/q/touched
                    for i in $(seq 150); do echo $i > $B/q/deep/f$i; done
                    $SHOAL quota set /q --bytes 1G --dir $DIR
                    for i in $(seq 40); do
                        head -c $((RANDOM * 3)) /dev/urandom > $A/q/a$((i % 7))
                        head -c $((RANDOM * 3)) /dev/urandom >> $B/q/b$((i % 5))
                        mv $B/q/a$((i % 7)) $B/q/deep/er/moved$((i % 9))
                        truncate -s $((RANDOM % 5000)) $A/q/b$((i % 5))
                        ln -f $B/q/b$((i % 5)) $B/q/deep/link
                        rm -f $A/q/deep/f$i
                    done
                    """#)
                // Closing files and counting end a moment after the commands.
                let deadline = Clock.seconds + 20
                while true {
                    let difference = try cluster.bash(
                        #"""
                        walk=$(find $A/q -mindepth 1 -printf '%i %y %s\n' | sort -u | awk '{n++; if ($2=="f") s+=$3} END {print s, n}')
                        df=$(df --output=used,iused -B1 $B/q | tail -1 | awk '{print $1, $2}')
                        state=$($SHOAL quota show /q --dir $DIR | tail -1 | awk '{print $NF}')
                        used=$($SHOAL quota show /q --dir $DIR | tail -1)
                        blocks=$(( (${walk% *} + 4095) / 4096 * 4096 ))
                        if [[ $state == active && $((${df% *} - ${walk% *})) -le 8192 && $((${df% *} - ${walk% *})) -ge -8192 ]]; then
                            echo same; else echo "walk $walk, df $df, $used"; fi
                        """#)
                    if difference == "same\n" { break }
                    try #require(Clock.seconds < deadline, "\(difference)")
                }
            }
        }

        @Test("wrong input is one line and changes nothing")
        func wrongInput() throws {
            try Cluster.with(mounts: 1) { cluster in
                try cluster.bash(
                    #"""
                    set -euo pipefail
                    echo x > $A/file; mkdir $A/d
                    expect() { local want=$1 words=$2 got=0; shift 2; "$SHOAL" "$@" --dir $DIR > $T/out 2> $T/err || got=$?
                        test $got = $want && test $(wc -l < $T/err) = 1 && grep -q "$words" $T/err ||
                            { echo "$*: $got"; cat $T/err; exit 1; }; }
                    expect 64 "give --bytes or --inodes" quota set /d
                    expect 64 "12X" quota set /d --bytes 12X
                    expect 1 "Not a directory" quota set /file --bytes 1
                    expect 1 "No such file" quota set /none --bytes 1
                    expect 1 "no quota of its own" quota remove /d
                    expect 64 "7x" trash on --keep 7x
                    expect 1 "not in the trash" trash restore /none
                    """#)
            }
        }
    }
}
