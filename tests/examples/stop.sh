#!/bin/sh
# stop.sh SIGNAL FOLDER PATTERN PROGRAM ARGUMENT...: starts the program, sends it the signal as soon as there is a file
# that PATTERN names in FOLDER, and ends with its status.
signal=$1 folder=$2 pattern=$3
shift 3
"$@" &
program=$!
while kill -0 $program 2>/dev/null; do
  for file in "$folder"/$pattern; do
    if [ -e "$file" ]; then
      kill -s "$signal" $program
      break 2
    fi
  done
  sleep 0.02
done
wait $program
