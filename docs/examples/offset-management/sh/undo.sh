# undo.sh [HOST:PORT [GROUP]]: shows the history of a group's offsets and takes its last reset back.
set -eu
bootstrap=${1:-127.0.0.1:9092}
group=${2:-orders}

ottla group undo "$group" --bootstrap "$bootstrap"
ottla group history "$group" --bootstrap "$bootstrap"
