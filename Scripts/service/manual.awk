# Turns the program's description of itself (`rene --experimental-dump-help`, JSON) into its manual page (mdoc).
#   awk -f manual.awk help.json > rene.1

{ text = text $0 "\n" }

END {
    rest = text
    value("")
    print ".Dd $Mdocdate$"
    print ".Dt RENE 1"
    print ".Os"
    print ".Sh NAME"
    print ".Nm rene"
    print ".Nd " quoted(lowered(leaf["command.abstract"]))
    print ".Sh SYNOPSIS"
    print ".Nm"
    print ".Ar command"
    print ".Op Ar options"
    print ".Sh DESCRIPTION"
    print quoted(leaf["command.abstract"])
    print ".Sh COMMANDS"
    for (i = 0; ("command.subcommands." i ".commandName") in leaf; i++) command("command.subcommands." i, "")
    print ".Sh EXIT STATUS"
    print ".Bl -tag -width Ds"
    status("0", "done")
    status("64", "usage")
    status("65", "the model or data is bad")
    status("66", "input missing")
    status("69", "plugin unavailable")
    status("70", "internal error")
    status("73", "output cannot be created")
    status("74", "input or output failed")
    status("75", "temporary; try again")
    status("78", "configuration")
    print ".El"
    print ".Sh FILES"
    print ".Bl -tag -width Ds"
    print ".It Pa /etc/rene/rene.yaml"
    print "Settings of the service."
    print ".It Pa /var/lib/rene"
    print "Folders of the service: inbox, outbox, done, failed."
    print ".El"
}

# One command with its options, and its own commands.
function command(path, parents,    i, name) {
    name = leaf[path ".commandName"]
    if (leaf[path ".shouldDisplay"] == "false" || name == "help") return
    if (parents != "") name = parents " " name
    print ".Ss " quoted("rene " name)
    print quoted(leaf[path ".abstract"])
    if ((path ".discussion") in leaf) print ".Pp\n" quoted(leaf[path ".discussion"])
    print ".Bl -tag -width Ds"
    for (i = 0; (path ".arguments." i ".kind") in leaf; i++) argument(path ".arguments." i)
    print ".El"
    for (i = 0; (path ".subcommands." i ".commandName") in leaf; i++) command(path ".subcommands." i, name)
}

function argument(path,    i, kind, line, name) {
    if (leaf[path ".shouldDisplay"] == "false") return
    kind = leaf[path ".kind"]
    line = ""
    for (i = 0; (path ".names." i ".name") in leaf; i++) {
        name = leaf[path ".names." i ".name"]
        line = line (i ? " , " : "") "Fl " (leaf[path ".names." i ".kind"] == "long" ? "\\-" name : name)
    }
    if (kind != "flag") line = line (line == "" ? "" : " ") "Ar " leaf[path ".valueName"]
    print ".It " line
    print quoted(leaf[path ".abstract"])
    if ((path ".discussion") in leaf) print ".Pp\n" quoted(leaf[path ".discussion"])
    if ((path ".defaultValue") in leaf) print quoted("Default: " leaf[path ".defaultValue"] ".")
}

function status(number, meaning) { print ".It " number "\n" meaning }

# Text as it may stand on lines of its own.
function quoted(string) {
    gsub(/\\/, "\\e", string)
    gsub(/\n+/, "\n", string)
    gsub(/\n\./, "\n\\\\\\&.", string)
    gsub(/-/, "\\-", string)
    return string ~ /^[.']/ ? "\\&" string : string
}

function lowered(string) {
    sub(/\.$/, "", string)
    return tolower(substr(string, 1, 1)) substr(string, 2)
}

# A reader of JSON: takes one value off `rest` and files its leaves in `leaf` under their paths.
function value(path,    first, i, key) {
    blank()
    first = substr(rest, 1, 1)
    if (first == "{" || first == "[") {
        rest = substr(rest, 2)
        for (i = 0;; i++) {
            blank()
            if (rest ~ /^[]}]/) break
            if (first == "{") {
                key = string()
                blank()
                rest = substr(rest, 2)
            } else key = i
            value(path == "" ? key : path "." key)
            blank()
            if (substr(rest, 1, 1) == ",") rest = substr(rest, 2)
            else if (rest !~ /^[]}]/) {
                print "manual.awk: not JSON at " substr(rest, 1, 40) > "/dev/stderr"
                exit 65
            }
        }
        rest = substr(rest, 2)
    } else if (first == "\"") leaf[path] = string()
    else {
        match(rest, /^[^],} \n]+/)
        leaf[path] = substr(rest, 1, RLENGTH)
        rest = substr(rest, RLENGTH + 1)
    }
}

function blank() { if (match(rest, /^[ \n\t\r]+/)) rest = substr(rest, RLENGTH + 1) }

function string(    raw) {
    match(rest, /^"([^"\\]|\\.)*"/)
    raw = substr(rest, 2, RLENGTH - 2)
    rest = substr(rest, RLENGTH + 1)
    gsub(/\\n/, "\n", raw)
    gsub(/\\\//, "/", raw)
    gsub(/\\"/, "\"", raw)
    gsub(/\\\\/, "\\", raw)
    return raw
}
