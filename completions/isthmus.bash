# Completion of isthmus in bash. It runs nothing of the line, and expands nothing: candidates are compared as text.
_isthmus() {
    local line=${COMP_LINE:0:COMP_POINT} words=() word rest glued redirected='' typed prefix i

    # Bash splits words at `=` and `:`, too. What has no space before it belongs to the word before.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        rest=${line#"${line%%[![:space:]]*}"}
        glued=''
        [[ $i -gt 0 && $rest == "$line" ]] && glued=yes
        word=${COMP_WORDS[i]}
        [[ $i -eq $COMP_CWORD ]] && word=$rest
        line=${rest#"$word"}
        if [[ $word == *[\<\>]* && $word != *[!\<\>\&\|]* ]]; then
            # `2>`: the number is part of the redirection.
            if [[ $glued && ${words[${#words[@]}-1]} != *[!0-9]* ]]; then
                words=("${words[@]:0:${#words[@]}-1}")
            fi
            redirected=operator
        elif [[ $redirected == operator || ($redirected == file && $glued) ]]; then
            redirected=file
        elif [[ $glued ]]; then
            words[${#words[@]}-1]+=$word
        else
            redirected=''
            words+=("$word")
        fi
    done

    COMPREPLY=()
    if [[ $redirected ]]; then
        compopt -o default 2> /dev/null
        return
    fi
    typed=${words[${#words[@]}-1]}
    # Bash replaces what stands behind the last `=`.
    prefix=${typed%"$2"}
    while IFS=$'\t' read -r word rest; do
        if [[ $word == :files ]]; then
            compopt -o default 2> /dev/null
        elif [[ $word && $word == "$typed"* ]]; then
            COMPREPLY+=("${word#"$prefix"}")
        fi
    done <<< "$(command isthmus complete -- "${words[@]:1}" 2> /dev/null)"
}
complete -F _isthmus isthmus
