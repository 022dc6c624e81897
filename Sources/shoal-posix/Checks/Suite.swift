/// Every check, by groups of operations.
enum Suite {
    static var checks: [Check] {
        [
            openChecks(), readChecks(), writeChecks(), appendChecks(), seekChecks(), truncateChecks(),
            allocateChecks(), copyChecks(), memoryChecks(), syncChecks(), directoryChecks(), readDirectoryChecks(),
            linkChecks(), symlinkChecks(), unlinkChecks(), renameChecks(), nodeChecks(), nameChecks(), pathChecks(),
            workingDirectoryChecks(), statChecks(), timeChecks(), setTimesChecks(), modeChecks(),
            specialBitChecks(), attributeChecks(), accessListChecks(), recordLockChecks(), descriptionLockChecks(),
            wholeFileLockChecks(),
            executeChecks(), twoMountChecks(),
        ].flatMap { $0 }
    }
}
