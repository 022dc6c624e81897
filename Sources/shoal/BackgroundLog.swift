import Glibc
import ShoalCluster

/// Where a process in the background logs that belongs to no cluster's directory: $XDG_STATE_HOME/shoal, by default
/// ~/.local/state/shoal.
enum BackgroundLog {
    static func path(for name: String) throws(ClusterError) -> String {
        let directory = "\(stateHome)/shoal"
        try ClusterLayout.makeDirectories(directory)
        return "\(directory)/\(name).log"
    }

    private static var stateHome: String {
        if let home = variable("XDG_STATE_HOME"), home.hasPrefix("/") { return home }
        return "\(variable("HOME") ?? "/tmp")/.local/state"
    }

    private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
