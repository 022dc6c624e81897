import Testing

extension MountedTests {
    @Suite("Trash", .serialized)
    struct TrashTests {
        @Test("what is removed on one mount is restored and seen on the other, with its bytes")
        func restore() throws {
            try Cluster.with { cluster in
                try cluster.bash(
                    #"""
                    set -euo pipefail
                    ls -a $A $B > /dev/null
                    test ! -e $B/.trash
                    mkdir -p $A/docs/deep
                    head -c 3000000 /dev/urandom > $A/docs/deep/file
                    cp $A/docs/deep/file $T/file
                    echo old > $A/docs/note
                    $SHOAL trash on --keep 1d --dir $DIR
                    rm $B/docs/deep/file
                    echo new > $B/docs/note.tmp && mv $B/docs/note.tmp $B/docs/note
                    test ! -e $A/docs/deep/file
                    test "$(ls -A $A)" = docs
                    test "$(stat -c '%a %u' $A/.trash)" = "700 0"
                    test "$(find $B/.trash -type f | wc -l)" = 2
                    $SHOAL trash show --dir $DIR | grep -q "on, keep 1d"
                    $SHOAL trash list --dir $DIR | tee $T/list
                    grep -q " 3000000  /docs/deep/file$" $T/list
                    $SHOAL trash restore /docs/deep/file --dir $DIR
                    cmp $A/docs/deep/file $T/file
                    cmp $B/docs/deep/file $T/file
                    if $SHOAL trash restore /docs/note --dir $DIR 2> $T/err; then exit 1; fi
                    grep -q "say another place with --to" $T/err
                    $SHOAL trash restore /docs/note --to /docs/old --dir $DIR
                    test "$(cat $A/docs/old)" = old
                    test "$(cat $A/docs/note)" = new
                    rm $A/docs/old
                    rm $(find $B/.trash -type f)
                    test -z "$(find $A/.trash -type f)"
                    rm $A/docs/note
                    $SHOAL trash empty --dir $DIR
                    test "$($SHOAL trash list --dir $DIR | wc -l)" = 1
                    $SHOAL trash off --dir $DIR
                    $SHOAL trash show --dir $DIR | grep -q "off"
                    rm $A/docs/deep/file
                    test "$($SHOAL trash list --dir $DIR | wc -l)" = 1
                    if rmdir $A/.trash 2> $T/err; then exit 1; fi
                    """#)
            }
        }

        @Test("a file that is removed while open stays whole for who has it open, in the trash and past its time")
        func open() throws {
            try Cluster.with { cluster in
                try cluster.bash(
                    #"""
                    set -euo pipefail
                    $SHOAL trash on --keep 1s --dir $DIR
                    exec 7<> $A/file
                    echo one >&7
                    rm $B/file
                    echo two >&7
                    until test -z "$($SHOAL trash list --dir $DIR | tail -n +2)"; do :; done
                    until test -z "$(find $B/.trash -type f)"; do :; done
                    echo three >&7
                    test "$(tr '\n' ' ' < /proc/$$/fd/7)" = "one two three "
                    """#)
            }
        }
    }
}
