# Completion of isthmus in fish. It runs nothing of the line: each word goes to isthmus as it is.
function __isthmus_ask
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    # Both rules below ask for the same line.
    set -l line (string escape -- $words "$typed" | string collect)
    if test "$line" != "$__isthmus_line"
        set -g __isthmus_line $line
        set -g __isthmus_answer (command isthmus complete -- $words[2..-1] "$typed" 2> /dev/null)
    end
end
function __isthmus_candidates
    __isthmus_ask
    string match -v -- :files $__isthmus_answer
end
function __isthmus_wants_files
    __isthmus_ask
    contains -- :files $__isthmus_answer
end
complete -c isthmus -e
complete -c isthmus -f -a '(__isthmus_candidates)'
complete -c isthmus -n __isthmus_wants_files -F
