// Bench measures Hookhouse beside other libraries and beside handwritten floors
// in one run, and prints ratios. README.md lists the commands and explains what
// each row is.
package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"strings"

	"github.com/hookhouse/hookhouse/internal/bench/chain"
	"github.com/hookhouse/hookhouse/internal/bench/compare"
	"github.com/hookhouse/hookhouse/internal/bench/drain"
	"github.com/hookhouse/hookhouse/internal/bench/durable"
	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/held"
	"github.com/hookhouse/hookhouse/internal/bench/inspect"
	"github.com/hookhouse/hookhouse/internal/bench/publish"
	"github.com/hookhouse/hookhouse/internal/bench/receive"
	"github.com/hookhouse/hookhouse/internal/bench/scale"
	"github.com/hookhouse/hookhouse/internal/bench/sender"
	"github.com/hookhouse/hookhouse/internal/bench/snapshot"
)

// commands are those of users and those of the processes that the program starts.
var commands = env.Commands{
	"receive": receive.Run, "durable": durable.Run, "drain": drain.Run, "scale": scale.Run,
	"held": held.Run, "snapshot": snapshot.Run, "compare": compare.Run, "publish": publish.Run, "inspect": inspect.Run, "chain": chain.Run,
}

func main() {
	for _, more := range []env.Commands{sender.Commands, receive.Commands, durable.Commands, scale.Commands, publish.Commands, inspect.Commands} {
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
