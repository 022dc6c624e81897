/// What the processes of the lock tests run: small, and in a language that has every lock call.
enum LockProgram {
    /// `python3 locks.py WHAT ARGUMENTS`. Prints one line, or fails.
    static let text = #"""
        import fcntl, os, signal, struct, sys, threading, time

        OFD_SETLK, OFD_SETLKW = 37, 38

        def record(kind): return struct.pack('hhqqi4x', kind, 0, 0, 0, 0)

        def lock(how, fd, kind=fcntl.F_WRLCK):
            if how == 'posix': fcntl.fcntl(fd, fcntl.F_SETLKW, record(kind))
            elif how == 'ofd': fcntl.fcntl(fd, OFD_SETLKW, record(kind))
            elif how == 'flock': fcntl.flock(fd, {fcntl.F_WRLCK: fcntl.LOCK_EX, fcntl.F_UNLCK: fcntl.LOCK_UN}[kind])
            else:
                os.lseek(fd, 0, os.SEEK_SET)
                os.lockf(fd, {fcntl.F_WRLCK: os.F_LOCK, fcntl.F_UNLCK: os.F_ULOCK}[kind], 0)

        def tries(how, fd):
            try:
                if how == 'posix': fcntl.fcntl(fd, fcntl.F_SETLK, record(fcntl.F_WRLCK))
                elif how == 'ofd': fcntl.fcntl(fd, OFD_SETLK, record(fcntl.F_WRLCK))
                else: fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError: return False

        def spawn(body):
            pid = os.fork()
            if pid: return pid
            try: body()
            except BaseException as error:
                print(error, file=sys.stderr, flush=True)
                os._exit(1)
            os._exit(0)

        def ended(pids):
            bad = [status for status in (os.waitpid(pid, 0)[1] for pid in pids) if status]
            assert not bad, bad

        def holder(path, hows):
            """A process that holds locks; it says so before this returns."""
            ready, said = os.pipe()
            def hold():
                fd = os.open(path, os.O_RDWR | os.O_CREAT)
                for how in hows: lock(how, fd)
                os.write(said, b'x')
                signal.pause()
            pid = spawn(hold)
            os.read(ready, 1)
            return pid

        def count(how, workers, rounds, *paths):
            """A counter in a file. Now and then a close does the unlocking."""
            with open(paths[0], 'w') as file: file.write('0'.rjust(12))
            def work(path):
                fd = os.open(path, os.O_RDWR)
                for turn in range(rounds):
                    lock(how, fd)
                    value = int(os.pread(fd, 12, 0))
                    os.pwrite(fd, str(value + 1).rjust(12).encode(), 0)
                    if turn % 5 == 4:
                        os.close(fd)
                        fd = os.open(path, os.O_RDWR)
                    else: lock(how, fd, fcntl.F_UNLCK)
            ended([spawn(lambda path=path: work(path)) for _ in range(workers) for path in paths])
            with open(paths[-1]) as file: print(int(file.read()))

        def wakes(how, here, there):
            """Seconds from an unlock, or the end of the holder, to the return of the one who waits on the other mount."""
            slowest = 0
            fd = os.open(here, os.O_RDWR | os.O_CREAT)
            for turn in range(10):
                lock(how, fd)
                ready, said = os.pipe()
                got, tell = os.pipe()
                def wait():
                    other = os.open(there, os.O_RDWR)
                    os.write(said, b'x')
                    lock(how, other)
                    os.write(tell, b'x')
                pid = spawn(wait)
                os.read(ready, 1)
                time.sleep(0.05)
                os.set_blocking(got, False)
                try: assert not os.read(got, 1)
                except BlockingIOError: pass
                os.set_blocking(got, True)
                start = time.monotonic()
                lock(how, fd, fcntl.F_UNLCK)
                os.read(got, 1)
                slowest = max(slowest, time.monotonic() - start)
                ended([pid])
            print(slowest)

        def killed(how, here, there):
            """Seconds from kill -9 of the holder to the grant on the other mount."""
            pid = holder(here, [how])
            fd = os.open(there, os.O_RDWR)
            assert not tries(how, fd)
            start = time.monotonic()
            os.kill(pid, signal.SIGKILL)
            lock(how, fd)
            print(time.monotonic() - start)
            os.waitpid(pid, 0)

        def interrupted(how, here, there):
            """A signal ends a wait, with or without a handler, and the lock is free after it."""
            class Alarm(Exception): pass
            def on(*_): raise Alarm()
            pid = holder(here, [how])
            for path in (here, there):
                def wait():
                    signal.signal(signal.SIGALRM, on)
                    signal.setitimer(signal.ITIMER_REAL, 0.1)
                    fd = os.open(path, os.O_RDWR)
                    start = time.monotonic()
                    try: lock(how, fd)
                    except Alarm:
                        assert time.monotonic() - start < 2
                        return
                    assert False, 'the lock was given'
                ended([spawn(wait)])
                waiter = spawn(lambda: lock(how, os.open(path, os.O_RDWR)))
                time.sleep(0.1)
                os.kill(waiter, signal.SIGKILL)
                assert os.waitpid(waiter, 0)[1] == signal.SIGKILL
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            fd = os.open(there, os.O_RDWR)
            deadline = time.monotonic() + 2
            # The end of an open file is told behind close's back.
            while not tries(how, fd): assert time.monotonic() < deadline
            print('ok')

        def crowd(count, here, there, directory):
            """Waiters by the hundred, and other work beside them: seconds of the work, and of all getting the lock."""
            fd = os.open(here, os.O_RDWR | os.O_CREAT)
            fcntl.flock(fd, fcntl.LOCK_EX)
            through = []
            started = threading.Semaphore(0)
            def wait(number):
                mine = os.open(here, os.O_RDWR)
                started.release()
                fcntl.flock(mine, fcntl.LOCK_EX)
                through.append(number)
                os.close(mine)
            threading.stack_size(1 << 18)
            threads = [threading.Thread(target=wait, args=(number,)) for number in range(count)]
            for thread in threads: thread.start()
            for _ in threads: started.acquire()
            start = time.monotonic()
            for number in range(50):
                path = f'{directory}/w{number}'
                with open(path, 'w') as file: file.write('x' * 5000)
                os.rename(path, path + 'r')
                with open(path + 'r') as file: assert len(file.read()) == 5000
                mine = os.open(path + 'r', os.O_RDWR)
                fcntl.lockf(mine, fcntl.LOCK_EX)
                os.close(mine)
                os.unlink(path + 'r')
            beside = time.monotonic() - start
            assert not through
            other = os.open(there, os.O_RDWR)
            assert not tries('flock', other)
            start = time.monotonic()
            fcntl.flock(fd, fcntl.LOCK_UN)
            for thread in threads: thread.join()
            assert sorted(through) == list(range(count))
            print(beside, time.monotonic() - start)

        def circle(here, there):
            """Two processes on two mounts that want each other's bytes: one is told EDEADLK, the other gets both."""
            results = []
            for path, mine, other in ((here, 0, 1), (there, 1, 0)):
                ready, said = os.pipe()
                go, gone = os.pipe()
                def work():
                    fd = os.open(path, os.O_RDWR | os.O_CREAT)
                    fcntl.lockf(fd, fcntl.LOCK_EX, 1, mine)
                    os.write(said, b'x')
                    os.read(go, 1)
                    try: fcntl.lockf(fd, fcntl.LOCK_EX, 1, other)
                    except OSError as error: os._exit(error.errno)
                results.append((spawn(work), gone))
                os.read(ready, 1)
            for _, gone in results: os.write(gone, b'x')
            codes = sorted(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid, _ in results)
            print(codes)

        def tested(here, there):
            """F_GETLK names the range, the mode and the process; kinds of locks do not see each other."""
            fd = os.open(here, os.O_RDWR | os.O_CREAT)
            fcntl.lockf(fd, fcntl.LOCK_EX, 10, 100)
            fcntl.lockf(fd, fcntl.LOCK_SH, 5, 102)
            def ask():
                other = os.open(there, os.O_RDWR)
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
                def question(kind, first, length):
                    wish = struct.pack('hhqqi4x', kind, 0, first, length, 0)
                    answer = fcntl.fcntl(other, fcntl.F_GETLK, wish)
                    return struct.unpack('hhqqi4x', answer)
                pid = os.getppid()
                assert question(fcntl.F_WRLCK, 0, 0) == (fcntl.F_WRLCK, 0, 100, 2, pid)
                assert question(fcntl.F_WRLCK, 103, 1) == (fcntl.F_RDLCK, 0, 102, 5, pid)
                assert question(fcntl.F_RDLCK, 103, 1)[0] == fcntl.F_UNLCK
                assert question(fcntl.F_RDLCK, 109, 0) == (fcntl.F_WRLCK, 0, 107, 3, pid)
                assert question(fcntl.F_WRLCK, 110, 0)[0] == fcntl.F_UNLCK
            ended([spawn(ask)])
            # Closing any descriptor of the file frees the process's record locks.
            os.close(os.open(here, os.O_RDONLY))
            def locks(): fcntl.lockf(os.open(there, os.O_RDWR), fcntl.LOCK_EX | fcntl.LOCK_NB)
            ended([spawn(locks)])
            print('ok')

        def held(here, ready, go):
            """Holds every kind until it may go on; then writes through the locked file."""
            fd = os.open(here, os.O_RDWR | os.O_CREAT)
            for how in ('posix', 'flock'): lock(how, fd)
            open(ready, 'w').close()
            while not os.path.exists(go): time.sleep(0.02)
            os.pwrite(fd, b'still here', 0)
            os.close(fd)
            print('ok')

        def free(how, path): print(tries(how, os.open(path, os.O_RDWR)))

        def timed(how, path):
            start = time.monotonic()
            lock(how, os.open(path, os.O_RDWR))
            print(time.monotonic() - start)

        what, *arguments = sys.argv[1:]
        globals()[what](*(int(word) if word.isdigit() else word for word in arguments))
        """#
}
