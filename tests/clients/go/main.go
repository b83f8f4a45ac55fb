// Package harness is the library-independent half of a Go client program: the contract of
// tests/clients/SCENARIOS.md and the data that the scenarios of every library share.
package harness

import (
	"bufio"
	"fmt"
	"os"
	"slices"
)

// Scenario is one row of the list in SCENARIOS.md.
type Scenario struct {
	Name string
	Run  func(*T)
}

// Main runs the scenarios that the command line names, all of them without names, and exits.
func Main(scenarios []Scenario) {
	if len(os.Args) < 3 {
		fmt.Fprintf(os.Stderr, "usage: %s BOOTSTRAP RUN_ID [SCENARIO...]\n", os.Args[0])
		os.Exit(2)
	}
	bootstrap, runID, names := os.Args[1], os.Args[2], os.Args[3:]
	for _, name := range names {
		if !slices.ContainsFunc(scenarios, func(s Scenario) bool { return s.Name == name }) {
			fmt.Fprintf(os.Stderr, "no scenario is called %q\n", name)
			os.Exit(2)
		}
	}
	broker := &brokerControl{replies: bufio.NewReader(os.Stdin)}
	for _, s := range scenarios {
		if len(names) == 0 || slices.Contains(names, s.Name) {
			t := newT(s.Name, bootstrap, runID, broker)
			fmt.Println(t.execute(s.Run))
		}
	}
	fmt.Println("END")
}

// brokerControl asks the process that started the program to stop and start the broker.
type brokerControl struct {
	replies *bufio.Reader
}

func (b *brokerControl) ask(action string) error {
	fmt.Println("BROKER " + action)
	line, err := b.replies.ReadString('\n')
	if err != nil {
		return fmt.Errorf("no answer to BROKER %s: %w", action, err)
	}
	if line != "READY\n" {
		return fmt.Errorf("answer to BROKER %s is %q", action, line)
	}
	return nil
}
