internal import ArgumentParser
internal import ConverterKit
internal import Glibc

/// How the program ends on an error: the message on standard error, an exit status of INTERFACE.
enum Failure {
    static func exit(with error: any Error) -> Never {
        if let error = error as? ConversionError {
            Terminal.narrate("error: \(error)")
            Glibc.exit(error.kind.exitStatus)
        }
        // Usage errors, --help and --version: the parser knows what to print and where.
        Rene.exit(withError: error)
    }
}
