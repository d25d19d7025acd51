import Daemon
import Glibc
import TestSupport
import Testing

@Suite("Notifications to the service manager")
struct ServiceNotifierTests {
    @Test("each message arrives at a socket with a path and at an abstract one", arguments: [false, true])
    func messages(isAbstract: Bool) throws {
        let folder = try TemporaryFolder()
        let name = isAbstract ? "@\(folder.path)" : "\(folder.path)/notify"
        let socket = try #require(NotificationSocket(name: name))
        let notifier = ServiceNotifier(environment: ["NOTIFY_SOCKET=\(name)"])
        #expect(notifier.isSupervised)
        #expect(notifier.ready(status: "idle"))
        #expect(socket.next() == "READY=1\nSTATUS=idle")
        #expect(notifier.status("3 queued, converting resnet50: searching 41 %"))
        #expect(socket.next() == "STATUS=3 queued, converting resnet50: searching 41 %")
        #expect(notifier.watchdog())
        #expect(socket.next() == "WATCHDOG=1")
        #expect(notifier.extendTimeout(by: .seconds(90)))
        #expect(socket.next() == "EXTEND_TIMEOUT_USEC=90000000")
        #expect(notifier.stopping(status: "draining"))
        #expect(socket.next() == "STOPPING=1\nSTATUS=draining")
        #expect(socket.next() == nil)
    }

    @Test("a reload tells the monotonic time, which newer managers ask for")
    func reload() throws {
        let folder = try TemporaryFolder()
        let socket = try #require(NotificationSocket(name: "\(folder.path)/notify"))
        var before = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &before)
        #expect(ServiceNotifier(environment: ["NOTIFY_SOCKET=\(folder.path)/notify"]).reloading())
        let message = try #require(socket.next())
        #expect(message.hasPrefix("RELOADING=1\nMONOTONIC_USEC="))
        let told = try #require(Int(message.split(separator: "=").last ?? ""))
        let start = before.tv_sec * 1_000_000 + before.tv_nsec / 1000
        #expect((start...start + 5_000_000).contains(told))
    }

    @Test("a status cannot hold another assignment")
    func injection() throws {
        let folder = try TemporaryFolder()
        let socket = try #require(NotificationSocket(name: "\(folder.path)/notify"))
        let notifier = ServiceNotifier(environment: ["NOTIFY_SOCKET=\(folder.path)/notify"])
        notifier.status("model\nMAINPID=1\u{0}\r" + String(repeating: "x", count: 10_000))
        let message = try #require(socket.next())
        #expect(message.hasPrefix("STATUS=model MAINPID=1  xxx"))
        #expect(!message.contains("\n") && message.utf8.count < 600)
    }

    @Test(
        "without a manager, and with one that is gone, every call returns and says so",
        arguments: [
            [], ["NOTIFY_SOCKET="], ["NOTIFY_SOCKET=relative"], ["NOTIFY_SOCKET=/nonexistent/socket"],
            ["NOTIFY_SOCKET=@"],
            ["NOTIFY_SOCKET=/" + String(repeating: "x", count: 300)],
            ["NOTIFY_SOCKET=@" + String(repeating: "x", count: 107)],
        ])
    func noManager(environment: [String]) {
        let notifier = ServiceNotifier(environment: environment + ["WATCHDOG_USEC=1000000"])
        #expect(!notifier.ready(status: "idle"))
        #expect(!notifier.watchdog())
        if !notifier.isSupervised { #expect(notifier.watchdogInterval == nil) }
    }

    @Test("a manager that does not read makes nobody wait")
    func blockedManager() throws {
        let folder = try TemporaryFolder()
        let socket = try #require(NotificationSocket(name: "\(folder.path)/notify"))
        let notifier = ServiceNotifier(environment: ["NOTIFY_SOCKET=\(folder.path)/notify"])
        let start = SuspendingClock.now
        let taken = (0..<100_000).filter { _ in notifier.watchdog() }.count
        #expect(taken > 0 && taken < 100_000)
        #expect(start.duration(to: .now) < .seconds(20))
        while socket.next() != nil {}
        #expect(notifier.watchdog(), "the socket serves again once it was read")
    }

    @Test("the watchdog's interval is half of what the manager waits, for this process only")
    func watchdog() throws {
        let folder = try TemporaryFolder()
        let socket = "NOTIFY_SOCKET=\(folder.path)/notify"
        #expect(ServiceNotifier(environment: [socket, "WATCHDOG_USEC=30000000"]).watchdogInterval == .seconds(15))
        #expect(
            ServiceNotifier(environment: [socket, "WATCHDOG_USEC=30000000", "WATCHDOG_PID=1"]).watchdogInterval == nil)
        let own = ServiceNotifier(environment: [socket, "WATCHDOG_USEC=30000000", "WATCHDOG_PID=\(getpid())"])
        #expect(own.watchdogInterval == .seconds(15))
        for bad in ["", "0", "-5", "x"] {
            #expect(ServiceNotifier(environment: [socket, "WATCHDOG_USEC=\(bad)"]).watchdogInterval == nil)
        }
    }
}
