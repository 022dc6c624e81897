import Testing

extension MountedTests {
    @Suite("Space", .serialized)
    struct SpaceTests {
        @Test("Sparse and dense files take what was written, for du, cp --sparse and lseek, on both mounts")
        func sparse() throws {
            try Cluster.with { cluster in
                try cluster.bash(
                    """
                    blocks() { test "$(stat -c %b $A/$1)" = $2; test "$(stat -c %b $B/$1)" = $2; }
                    head -c 1000000 /dev/zero > $A/zeros && blocks zeros 1960
                    head -c 3000000 /dev/urandom > $A/dense && cp $A/dense $T/dense && blocks dense 5864
                    truncate -s 1G $B/hole && blocks hole 0
                    cp $T/dense $A/sparse && truncate -s 6T $B/sparse && blocks sparse 5864
                    printf hello | dd of=$B/sparse bs=1 seek=5T conv=notrunc status=none && blocks sparse 5872
                    test $(stat -c %s $A/sparse) = $((6 << 40))
                    test "$(dd if=$A/sparse bs=1 skip=5T count=5 status=none)" = hello
                    cp --sparse=always $A/sparse $B/copy && blocks copy 5872
                    cmp -n 3000000 $T/dense $A/copy
                    test "$(dd if=$A/copy bs=1 skip=5T count=5 status=none)" = hello
                    test $(du -k $A/copy | cut -f1) = 2936
                    truncate -s 3000000 $A/sparse && cmp $T/dense $B/sparse && blocks sparse 5864
                    python3 - $A/copy <<'EOF'
                    import os, sys
                    f = os.open(sys.argv[1], os.O_RDONLY)
                    assert os.lseek(f, 0, os.SEEK_HOLE) == 3002368
                    assert os.lseek(f, 3002368, os.SEEK_DATA) == 5 << 40
                    assert os.lseek(f, 5 << 40, os.SEEK_HOLE) == (5 << 40) + 4096
                    for offset in (6 << 40, (5 << 40) + 4096):
                        try: os.lseek(f, offset, os.SEEK_DATA)
                        except OSError as e: assert e.errno == 6
                        else: assert False
                    EOF
                    rm $A/copy $A/sparse
                    """)
            }
        }

        @Test("fallocate extends, punches and zeroes; what it cannot do it refuses")
        func fallocate() throws {
            try Cluster.with { cluster in
                try cluster.bash(
                    #"""
                    cat > $T/f.sh <<'EOF'
                    cd $1 && other=$2
                    head -c 9000000 /dev/urandom > f && cp f $3/f
                    for where in '-p -o 4096 -l 8192' '-p -o 5000000 -l 3000001' '-z -o 100 -l 50' '-z -n -o 8999999 -l 50000'; do
                        fallocate $where f; fallocate $where $3/f
                        cmp $3/f $other/f; cmp $3/f f
                        test $(stat -c %s $other/f) = $(stat -c %s $3/f)
                    done
                    # A local filesystem sets zeroed blocks aside, and counts them; here they are holes.
                    fallocate -d $3/f && test $(du -k f | cut -f1) -le $(du -k $3/f | cut -f1)
                    fallocate -z -o 8000000 -l 2000000 f && test $(stat -c %s $other/f) = 10000000
                    fallocate -l 20M f && test $(stat -c %s $other/f) = 20971520
                    fallocate -n -l 30M f && test $(stat -c %s $other/f) = 20971520
                    chmod u+s f && setpriv --reuid=1 --regid=1 --clear-groups true
                    ! fallocate -c -o 0 -l 4096 f 2> /dev/null
                    ! fallocate -i -o 0 -l 4096 f 2> /dev/null
                    fallocate -l 1000T f 2> err && exit 1
                    grep -q 'No space left' err && test $(stat -c %s f) = 20971520
                    fallocate -p -o 0 -l 20M f && test $(stat -c %b $other/f) = 0
                    EOF
                    bash -euo pipefail $T/f.sh $A $B $T
                    """#)
            }
        }

        @Test("A file is copied inside the cluster, byte for byte, and a copy of nothing but holes takes nothing")
        func copying() throws {
            try Cluster.with { cluster in
                try cluster.bash(
                    #"""
                    cat > $T/copy.py <<'EOF'
                    import os, random, sys
                    a, b, local = sys.argv[1:4]
                    rnd = random.Random(5)
                    data = bytearray(os.urandom(21 << 20))
                    open(a + '/s', 'wb').write(data)
                    def copy(src, dst, so, do, n):
                        while n:
                            k = os.copy_file_range(src, dst, n, so, do)
                            if k == 0: break
                            so += k; do += k; n -= k
                    s = os.open(b + '/s', os.O_RDWR)
                    t = os.open(b + '/t', os.O_RDWR | os.O_CREAT)
                    copy(s, t, 0, 0, 1 << 40)
                    assert open(a + '/t', 'rb').read() == data
                    target = bytearray(data)
                    for n in range(30):
                        step = [1, 4096, 4 << 20][n % 3]
                        so = rnd.randrange(0, len(data)) // step * step
                        do = rnd.randrange(0, len(data)) // step * step
                        count = min(rnd.randrange(1, 12 << 20), len(data) - so)
                        copy(s, t, so, do, count)
                        if do > len(target): target += bytes(do - len(target))
                        target[do:do + count] = data[so:so + count]
                        if n % 5 == 4: assert open([a, b][n % 2] + '/t', 'rb').read() == target, n
                    assert open(a + '/t', 'rb').read() == target
                    try: os.copy_file_range(s, s, 1000, 0, 500)
                    except OSError as e: assert e.errno == 22
                    else: assert False
                    h = os.open(a + '/h', os.O_RDWR | os.O_CREAT)
                    os.ftruncate(h, 64 << 20)
                    c = os.open(a + '/c', os.O_RDWR | os.O_CREAT)
                    copy(h, c, 0, 0, 64 << 20)
                    os.fsync(c)
                    assert os.stat(b + '/c').st_blocks == 0 and os.stat(b + '/c').st_size == 64 << 20
                    EOF
                    timeout 100 python3 $T/copy.py $A $B $T
                    cp $A/t $B/u && cmp $A/t $A/u
                    """#)
            }
        }

        @Test("Past the longest file writes, truncations and allocations are too large; up to there they are not")
        func longest() throws {
            try Cluster.with { cluster in
                try cluster.bash(
                    #"""
                    python3 - $A/f $B/f <<'EOF'
                    import os, sys
                    f = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
                    end = (1 << 54) - (1 << 22)
                    os.pwrite(f, b'end', end - 3)
                    os.fsync(f)
                    assert os.stat(sys.argv[2]).st_size == end and os.stat(sys.argv[2]).st_blocks == 8
                    assert os.pread(os.open(sys.argv[2], os.O_RDONLY), 3, end - 3) == b'end'
                    assert os.pwrite(f, b'1234', end - 3) == 3
                    for call in (lambda: os.pwrite(f, b'1', end), lambda: os.ftruncate(f, end + 1)):
                        try: call()
                        except OSError as e: assert e.errno == 27, e
                        else: assert False
                    os.ftruncate(f, 1 << 20)
                    assert os.stat(sys.argv[2]).st_blocks == 0
                    EOF
                    """#)
            }
        }
    }
}
