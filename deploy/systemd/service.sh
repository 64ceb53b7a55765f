#!/bin/sh
# What samepaged.service starts: samepaged on a Node that compiles nothing at run time (MemoryDenyWriteExecute=) and has small
# buffers. Node's warning that V8 then has no WebAssembly is of no use to anybody.
set -eu
node=/usr/bin/node

# A Node that has this option never opens its debugger on SIGUSR1; Debian 13's has it not.
safe=--disable-sigusr1
$node $safe --version >/dev/null 2>&1 || safe=
exec $node --jitless --no-expose-wasm --max-semi-space-size=1 $safe /usr/lib/samepaged/samepaged.js "$@"
