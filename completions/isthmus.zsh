#compdef isthmus
# Completion of isthmus in zsh. It runs nothing of the line: each word goes to isthmus as it is.
_isthmus() {
    local -a asked candidates
    local candidate about answer
    (( CURRENT > 2 )) && asked=("${(@Q)words[2,CURRENT-1]}")
    answer=$(command isthmus complete -- "${asked[@]}" "${(Q)PREFIX}" 2> /dev/null)
    while IFS=$'\t' read -r candidate about; do
        if [[ $candidate == :files ]]; then
            compset -P '--*='
            _files
            return
        elif [[ -n $candidate ]]; then
            candidates+=("$candidate${about:+:$about}")
        fi
    done <<< "$answer"
    _describe isthmus candidates
}
if [[ $funcstack[1] == _isthmus ]]; then
    _isthmus "$@"
else
    compdef _isthmus isthmus
fi
