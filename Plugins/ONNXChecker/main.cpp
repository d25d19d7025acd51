// rene-check-onnx FILE: libonnx's checker over a written model, in a process that may be thrown away.
//
// Exit status 0: sound. 1: unsound, the reason is on standard output. 2: this libonnx cannot tell: it does not know
// the model's version, the model is too large for it, or it broke down. No shape inference: libonnx's crashes on files
// that its own checker accepts.
// Debian builds libonnx with the operators of ai.onnx.ml, which is another set of headers.
#define ONNX_ML 1
#define ONNX_NAMESPACE onnx
#include <onnx/checker.h>
#include <onnx/onnx_pb.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <map>
#include <new>
#include <string>

namespace {

constexpr int sound = 0, unsound = 1, unknown = 2;

// What libonnx 1.12 knows.
constexpr int64_t newest_ir_version = 8;
const std::map<std::string, int64_t> newest_operators = {
    {"", 17}, {"ai.onnx", 17}, {"ai.onnx.ml", 3}, {"ai.onnx.preview.training", 1}, {"ai.onnx.training", 1}};

void say(const char *text) {
    std::fputs(text, stdout);
    std::fputc('\n', stdout);
    std::fflush(stdout);
}

// A crash of the checker says nothing about the model, and must leave no core and no noise.
void give_up(int) { _exit(unknown); }

void limit(int resource, rlim_t value) {
    struct rlimit wanted = {value, value};
    setrlimit(resource, &wanted);
}

void set_limits() {
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, 600);
    limit(RLIMIT_FSIZE, 1 << 20);
    limit(RLIMIT_NOFILE, 128);
    // A model file of 2 GiB is held twice, as text and as messages.
    limit(RLIMIT_AS, rlim_t{12} << 30);
    static char stack[1 << 16];
    stack_t alternative = {};
    alternative.ss_sp = stack;
    alternative.ss_size = sizeof stack;
    sigaltstack(&alternative, nullptr);
    struct sigaction action = {};
    action.sa_handler = give_up;
    action.sa_flags = SA_ONSTACK;
    for (int number : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGXCPU}) sigaction(number, &action, nullptr);
}

bool is_known(const ONNX_NAMESPACE::ModelProto &model) {
    if (model.ir_version() > newest_ir_version) return false;
    for (const auto &set : model.opset_import()) {
        auto known = newest_operators.find(set.domain());
        if (known != newest_operators.end() && set.version() > known->second) return false;
    }
    return true;
}

bool has_external_data(const ONNX_NAMESPACE::TensorProto &tensor) { return tensor.data_location() != 0; }

bool has_external_data(const ONNX_NAMESPACE::GraphProto &graph) {
    for (const auto &tensor : graph.initializer())
        if (has_external_data(tensor)) return true;
    for (const auto &node : graph.node())
        for (const auto &attribute : node.attribute()) {
            if (has_external_data(attribute.t()) || has_external_data(attribute.g())) return true;
            for (const auto &tensor : attribute.tensors())
                if (has_external_data(tensor)) return true;
            for (const auto &inner : attribute.graphs())
                if (has_external_data(inner)) return true;
        }
    return false;
}

// The exit status for a model that cannot be read; `sound` when it was.
int read_model(const char *path, ONNX_NAMESPACE::ModelProto &model) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    if (descriptor < 0 || fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
        say("cannot open the model");
        return unknown;
    }
    if (status.st_size > INT32_MAX) {
        say("the model file is too large for this checker");
        return unknown;
    }
    bool parsed = model.ParseFromFileDescriptor(descriptor);
    close(descriptor);
    if (!parsed) say("the model cannot be parsed");
    return parsed ? sound : unsound;
}

}  // namespace

int main(int count, char **arguments) {
    if (count != 2) {
        say("usage: rene-check-onnx FILE");
        return unknown;
    }
    set_limits();
    // The library logs on standard error before it throws what is reported here.
    int quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (quiet >= 0) dup2(quiet, STDERR_FILENO);
    try {
        bool needs_path;
        {
            ONNX_NAMESPACE::ModelProto model;
            if (int status = read_model(arguments[1], model); status != sound) return status;
            if (!is_known(model)) {
                say("the model is newer than this checker");
                return unknown;
            }
            needs_path = has_external_data(model.graph());
            if (!needs_path) ONNX_NAMESPACE::checker::check_model(model);
        }
        // By path, so that the data files are looked for beside the model.
        if (needs_path) ONNX_NAMESPACE::checker::check_model(std::string(arguments[1]));
        return sound;
    } catch (const ONNX_NAMESPACE::checker::ValidationError &error) {
        say(error.what());
        return unsound;
    } catch (const std::bad_alloc &) {
        say("the checker ran out of memory");
        return unknown;
    } catch (const std::exception &error) {
        say(error.what());
        return unsound;
    }
}
