import Glibc
import TestSupport
import Testing

@testable import Daemon

@Suite("Sharing the machine between workers")
struct WorkerPlanTests {
    static let gigabyte = 1 << 30

    @Test("threads and workers never exceed the cores, unless the user says so", arguments: [1, 2, 3, 8, 64, 256])
    func cores(count: Int) {
        for gigabytes in [1, 2, 24, 512] {
            let plan = WorkerPlan(machine: MachineResources(cores: count, memory: gigabytes * Self.gigabyte))
            #expect(plan.workers >= 1 && plan.threads >= 1)
            #expect(plan.workers * plan.threads <= count, "\(count) cores, \(gigabytes) GB: \(plan)")
        }
    }

    @Test("a machine with little memory has fewer workers, each with more threads")
    func littleMemory() {
        let plan = WorkerPlan(machine: MachineResources(cores: 16, memory: Self.gigabyte))
        #expect(plan.workers == 2)
        #expect(plan.threads == 8)
    }

    @Test("what the user says holds")
    func given() {
        let plan = WorkerPlan(
            machine: MachineResources(cores: 2, memory: Self.gigabyte), workers: 5, threads: 3, memory: 7)
        #expect((plan.workers, plan.threads, plan.budget) == (5, 3, 7))
    }

    @Test("the need grows with the model and never overflows")
    func need() {
        let plan = WorkerPlan(machine: MachineResources(cores: 2, memory: 24 * Self.gigabyte))
        let sizes = [0, 1, 1 << 20, 1 << 30, 1 << 40, Int.max]
        let needs = sizes.map { plan.need(modelBytes: $0) }
        #expect(needs == needs.sorted())
        for size in sizes {
            let allotment = plan.allotment(modelBytes: size)
            #expect(allotment.need <= plan.budget && allotment.limit <= plan.budget && allotment.layerMemory > 0)
        }
    }

    @Test("the lower plan has one thread, the whole budget and less for each layer than the budget")
    func lower() {
        let plan = WorkerPlan(machine: MachineResources(cores: 8, memory: 24 * Self.gigabyte), workers: 2)
        let allotment = plan.allotment(modelBytes: 100 << 20, plan: .lower)
        #expect(allotment.threads == 1)
        #expect(allotment.need == plan.budget)
        #expect(allotment.layerMemory < plan.budget / 2)
    }

    @Test("jobs are admitted while they fit, and one that needs everything runs alone")
    func admission() {
        let plan = WorkerPlan(machine: MachineResources(cores: 4, memory: 4000), workers: 3, memory: 1000)
        var admission = WorkerAdmission(plan: plan)
        let wanted: [(job: Int64, need: Int)] = [(1, 400), (1, 1), (2, 500), (3, 200), (4, 100), (5, 0)]
        let admitted = wanted.map { admission.admit($0.job, need: $0.need) }
        #expect(admitted == [true, false, true, false, true, false])
        for job in [1, 2, 4] as [Int64] { admission.release(job) }
        #expect(admission.count == 0)
        let afterwards = [(6, 5000), (7, 1)].map { admission.admit($0, need: $1) }
        #expect(afterwards == [true, false])
    }

    @Test("the limits of the control group and of its parents hold")
    func controlGroup() throws {
        let folder = try TemporaryFolder()
        _ = Shell.run("mkdir -p '\(folder.path)/a.slice/b.service'")
        try folder.write("a.slice/memory.max", Array("1000000\n".utf8))
        try folder.write("a.slice/b.service/memory.max", Array("max\n".utf8))
        try folder.write("a.slice/cpu.max", Array("max 100000\n".utf8))
        try folder.write("a.slice/b.service/cpu.max", Array("150000 100000\n".utf8))
        let group = ControlGroup(root: folder.path, path: "/a.slice/b.service")
        #expect(group.memory == 1_000_000)
        #expect(group.cores == 1.5)
        #expect(ControlGroup(root: folder.path, path: "/").memory == nil)
    }

    @Test("this machine has cores and memory")
    func detection() {
        let machine = MachineResources.detect()
        #expect(machine.cores >= 1)
        #expect(machine.memory > 64 << 20)
        let allowed = Shell.run("nproc").output
        #expect(machine.cores <= Int(allowed.filter(\.isNumber)) ?? 0)
    }

    @Test("only harmless variables reach a worker")
    func environment() {
        let variables = [
            "NOTIFY_SOCKET=/run/x", "JOURNAL_STREAM=1:2", "WATCHDOG_USEC=5", "PATH=/bin", "PATHOLOGY=1", "SECRET=1",
        ]
        let command = WorkerCommand.worker(jobFile: "/j/job.json", threads: 3, inheriting: variables)
        #expect(
            Set(command.environment) == [
                "PATH=/bin", "OPENBLAS_NUM_THREADS=3", "OMP_NUM_THREADS=3", "SWIFT_BACKTRACE=enable=no",
            ])
        #expect(command.arguments == ["worker", "/j/job.json"])
    }
}
