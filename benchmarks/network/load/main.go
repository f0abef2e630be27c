// Package main loads a gateway and a resolver, and is the host that is reached through the gateway.
//
// What is measured is CONNECT, its 200, a first message of TLS and the first byte of the answer. No
// load tool that can be had does that: h2load, hey, vegeta and fortio speak HTTP to a proxy's far
// end at best. It needs nothing but Go's own packages. Each command prints one line of JSON.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sort"
	"time"
)

// version is what the program calls itself.
const version = "corral-load 1"

type command func(arguments []string) (any, error)

var commands = map[string]command{
	"host":     host,
	"transfer": transfer,
	"connect":  connect,
	"hold":     hold,
	"ask":      ask,
}

func main() {
	if len(os.Args) < 2 {
		fail(fmt.Errorf("a command is expected"))
	}
	if os.Args[1] == "version" {
		fmt.Println(version)
		return
	}
	run, found := commands[os.Args[1]]
	if !found {
		fail(fmt.Errorf("no command %q", os.Args[1]))
	}
	result, err := run(os.Args[2:])
	if err != nil {
		fail(err)
	}
	tell(result)
}

func tell(document any) {
	if err := json.NewEncoder(os.Stdout).Encode(document); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// arguments of several commands.
type options struct {
	flags   *flag.FlagSet
	way     way
	workers *int
	seconds *float64
}

func parsed(name string, arguments []string, further func(*flag.FlagSet)) (options, error) {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	found := options{
		flags:   flags,
		workers: flags.Int("workers", 1, "at the same time"),
		seconds: flags.Float64("seconds", 5, "how long"),
	}
	flags.StringVar(&found.way.address, "address", "", "host:port that is connected to")
	flags.StringVar(&found.way.kind, "kind", "bare", "bare, connect or tls")
	flags.StringVar(&found.way.name, "name", "", "server name")
	if further != nil {
		further(flags)
	}
	return found, flags.Parse(arguments)
}

// milliseconds at a share of sorted durations.
func milliseconds(durations []time.Duration, share float64) float64 {
	if len(durations) == 0 {
		return 0
	}
	sort.Slice(durations, func(i, j int) bool { return durations[i] < durations[j] })
	at := int(share * float64(len(durations)-1))
	return float64(durations[at].Microseconds()) / 1000
}
