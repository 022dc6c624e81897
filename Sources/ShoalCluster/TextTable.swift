/// Text in columns for a terminal: numbers to the right, words to the left, two blanks between.
package struct TextTable: Sendable {
    package enum Alignment: Sendable {
        case left
        case right
    }

    private var rows: [[String]]
    private let alignments: [Alignment]

    package init(_ columns: [(title: String, alignment: Alignment)]) {
        rows = [columns.map(\.title)]
        alignments = columns.map(\.alignment)
    }

    package mutating func append(_ row: [String]) {
        precondition(row.count == alignments.count, "a row has a cell per column")
        rows.append(row.map(Self.printable))
    }

    /// Lines without blanks at their ends, each with a newline.
    package var text: String {
        let widths = alignments.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                line += (column == 0 ? "" : "  ") + (alignments[column] == .left ? cell + padding : padding + cell)
            }
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
    }

    /// Names come from other machines: nothing in them may move the cursor or change colours.
    package static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    switch scalar.properties.generalCategory {
                    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: "?"
                    default: scalar
                    }
                }))
    }
}
