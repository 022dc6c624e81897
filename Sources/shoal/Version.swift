enum Version {
    static let text = "shoal 0.1.0"
}
