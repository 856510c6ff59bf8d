// Bench measures Hookhouse beside other libraries and beside handwritten floors
// in one run, and prints ratios. README.md explains what each row is.
//
//	go run -C internal/bench .                                 the receive path, four minutes
//	go run -C internal/bench . -short                          a quick look
//	go run -C internal/bench . -count 20 -only 8               more passes over one body
//	go run -C internal/bench . durable                         answers given once a push is stored
//	go run -C internal/bench . durable -lone                   one sender beside INSERTs into the same tables
//	go run -C internal/bench . durable -filled -base main      Puts on a full store and for 12 s, beside another commit
//	go run -C internal/bench . drain                           claim, handle and settle what is stored
//	go run -C internal/bench . scale                           claims in tables of a million rows
//	go run -C internal/bench . held                            Puts while keys are held
//	go run -C internal/bench . snapshot                        claims beside a transaction that does not end
//	go run -C internal/bench . compare -base main              two commits that take turns
package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"strings"

	"github.com/hookhouse/hookhouse/internal/bench/compare"
	"github.com/hookhouse/hookhouse/internal/bench/drain"
	"github.com/hookhouse/hookhouse/internal/bench/durable"
	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/held"
	"github.com/hookhouse/hookhouse/internal/bench/receive"
	"github.com/hookhouse/hookhouse/internal/bench/scale"
	"github.com/hookhouse/hookhouse/internal/bench/snapshot"
)

// commands are those of users and those of the processes that the program starts.
var commands = env.Commands{
	"receive": receive.Run, "durable": durable.Run, "drain": drain.Run, "scale": scale.Run,
	"held": held.Run, "snapshot": snapshot.Run, "compare": compare.Run,
}

func main() {
	for _, more := range []env.Commands{receive.Commands, durable.Commands, scale.Commands} {
		maps.Copy(commands, more)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	run, args := receive.Run, os.Args[1:] // without a command it is receive
	if len(args) > 0 {
		if command, ok := commands[args[0]]; ok {
			run, args = command, args[1:]
		} else if !strings.HasPrefix(args[0], "-") {
			fmt.Fprintf(os.Stderr, "bench: no command %q\n", args[0])
			os.Exit(2)
		}
	}
	if err := run(ctx, args); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
