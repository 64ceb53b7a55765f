#!/bin/sh
# Installed as ksmtuned, for scripts that start ksmtuned by hand. samepaged is a service, so this starts nothing.
set -eu

pid=$(cat /run/ksmtune.pid 2>/dev/null || true)
if [ -n "$pid" ]; then
	echo "ksmtuned: samepaged (pid $pid) does its work: to retune now, kill -USR1 $pid; to stop, systemctl stop samepaged" >&2
else
	echo 'ksmtuned: samepaged has replaced it and is a service: to start it, systemctl start samepaged' >&2
fi
exit 1
