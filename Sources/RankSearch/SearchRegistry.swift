/// Every search strategy. A new one is a file named after its id and a line here.
public enum SearchRegistry {
    /// In the order in which help texts list them; the first is the default.
    public static let all: [any SearchStrategy] = [
        Rene(),
        Knapsack(),
        Uniform(),
        Energy(),
    ]

    /// The strategy with this id, or `nil`.
    public static func named(_ id: String) -> (any SearchStrategy)? { all.first { $0.id == id } }
}
