import { RUN_COMPLETE } from './hidden.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/**
 * The completion script of a shell for a program. It passes the words before the cursor to the program, which prints what can
 * follow: one word and its description per line, separated by a tab. Paths are left to the shell.
 */
export const SCRIPTS: Record<Shell, (program: string) => string> = {
  bash: (program) => `# bash completion for ${program}
_${functionName(program)}() {
  local word descriptions paths=0
  COMPREPLY=()
  while IFS=$'\\t' read -r word descriptions; do
    case $word in
      :paths) paths=1 ;;
      "\${COMP_WORDS[COMP_CWORD]}"*) COMPREPLY+=("$word") ;;
    esac
  done < <(${program} ${RUN_COMPLETE} -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  if [ "$paths" = 1 ]; then
    compopt -o filenames 2>/dev/null
    while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}")
  fi
}
complete -F _${functionName(program)} ${program}
`,
  zsh: (program) => `#compdef ${program}
_${functionName(program)}() {
  local -a found
  local line paths=0
  while IFS= read -r line; do
    if [[ $line = :paths ]]; then paths=1; continue; fi
    found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done < <(${program} ${RUN_COMPLETE} -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  (( \${#found} )) && _describe -V '${program}' found
  (( paths )) && _files
  return 0
}
if [ "$funcstack[1]" = "_${functionName(program)}" ]; then _${functionName(program)}; else compdef _${functionName(program)} ${program}; fi
`,
  fish: (program) => `# fish completion for ${program}
function __${functionName(program)}
  set -l words (commandline -opc) (commandline -ct)
  ${program} ${RUN_COMPLETE} -- $words[2..-1] 2>/dev/null | while read -l line
    if test "$line" = ":paths"
      __fish_complete_path (commandline -ct)
    else
      echo $line
    end
  end
end
complete -c ${program} -f -a '(__${functionName(program)})'
`,
};

function functionName(program: string): string {
  return program.replaceAll('-', '_');
}
