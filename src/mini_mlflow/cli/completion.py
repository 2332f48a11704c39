"""``completion SHELL``: print what teaches bash, zsh or fish the words of ``mini-mlflow``."""

from __future__ import annotations

from .failures import DONE

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from .options import Parser
    from .screen import Screen

EXAMPLES = [
    "completion bash >> ~/.bashrc",
    "completion zsh > ~/.zfunc/_mini-mlflow     (a folder of your $fpath)",
    "completion fish > ~/.config/fish/completions/mini-mlflow.fish",
]

# The candidates come quoted, so that nothing in a name is run when the line is. What was typed goes to the program as
# one argument and is expanded by nobody. The program is the one on the PATH, whatever path was typed.
_BASH = r"""# completion of mini-mlflow for bash, from 3.2 on
_mini_mlflow() {
    local line kind=""
    COMPREPLY=()
    while IFS= read -r line; do
        if [[ -z $kind ]]; then kind=$line; else COMPREPLY+=("$line"); fi
    done < <(command mini-mlflow --complete bash "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null)
    type compopt >/dev/null 2>&1 || return 0
    case $kind in
        nospace) compopt -o nospace ;;
        files) compopt -o default ;;
        folders) compopt -o dirnames ;;
    esac
}
complete -F _mini_mlflow mini-mlflow
"""
_ZSH = r"""#compdef mini-mlflow
# completion of mini-mlflow for zsh
_mini_mlflow() {
    local -a answer values shown
    local each kind
    answer=("${(@f)$(command mini-mlflow --complete zsh "${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
    kind=$answer[1]
    for each in "${(@)answer[2,-1]}"; do
        values+=("${each%%$'\t'*}")
        shown+=("${each/$'\t'/  }")
    done
    case $kind in
        files) _files ;;
        folders) _files -/ ;;
        nospace) (( $#values )) && compadd -S '' -l -d shown -a -- values ;;
        words) (( $#values )) && compadd -l -d shown -a -- values ;;
    esac
}
if [[ ${funcstack[1]} == _mini-mlflow ]]; then
    _mini_mlflow "$@"
else
    compdef _mini_mlflow mini-mlflow
fi
"""
_FISH = r"""# completion of mini-mlflow for fish
function __mini_mlflow_complete
    set -l current (commandline -ct)
    set -l answer (command mini-mlflow --complete fish (commandline -opc) "$current" 2>/dev/null)
    switch "$answer[1]"
        case files
            __fish_complete_path "$current"
        case folders
            __fish_complete_directories "$current"
        case words nospace
            printf '%s\n' $answer[2..-1]
    end
end
complete -c mini-mlflow -f -a '(__mini_mlflow_complete)'
"""
SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


def add_arguments(parser: Parser) -> None:
    """Add what ``completion`` takes."""
    parser.add_argument("shell", metavar="SHELL", choices=list(SCRIPTS), help="bash, zsh or fish")


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Print the script of a shell."""
    if screen.is_json:
        document = {"shell": arguments.shell, "script": SCRIPTS[arguments.shell]}
        screen.write_json("completion", **document)
    else:
        screen.write(SCRIPTS[arguments.shell])
    return DONE
