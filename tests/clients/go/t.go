package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

const (
	scenarioLimit = 60 * time.Second
	// A scenario that ran out of its time gets this long to notice and to close its clients.
	closingLimit = 5 * time.Second
	pollInterval = 20 * time.Millisecond
)

// T is one run of one scenario. The methods that can end the scenario may only be called on the
// goroutine that Scenario.Run was called on.
type T struct {
	Bootstrap string

	ctx      context.Context
	cancel   context.CancelFunc
	scenario string
	runID    string
	broker   *brokerControl
	deferred []func()
	verdict  string
}

func newT(scenario, bootstrap, runID string, broker *brokerControl) *T {
	ctx, cancel := context.WithTimeout(context.Background(), scenarioLimit)
	return &T{Bootstrap: bootstrap, ctx: ctx, cancel: cancel, scenario: scenario, runID: runID, broker: broker}
}

// execute runs the scenario to its end or to its time limit and returns its result line.
func (t *T) execute(run func(*T)) string {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer t.cancel()
		defer t.closeAll()
		defer t.recoverPanic()
		run(t)
	}()
	select {
	case <-done:
	case <-t.ctx.Done():
		select {
		case <-done:
		case <-time.After(closingLimit):
			fmt.Fprintln(os.Stderr, stacks())
			return "FAIL " + t.scenario + " it ran out of its time and did not end"
		}
	}
	if t.verdict == "" {
		return "PASS " + t.scenario
	}
	return t.verdict
}

func (t *T) closeAll() {
	for len(t.deferred) > 0 {
		last := len(t.deferred) - 1
		closing := t.deferred[last]
		t.deferred = t.deferred[:last]
		closing()
	}
}

func (t *T) recoverPanic() {
	if p := recover(); p != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", p, debug.Stack())
		t.verdict = "FAIL " + t.scenario + " panic: " + oneLine(fmt.Sprint(p))
	}
}

func (t *T) end(word, message string) {
	if t.verdict == "" {
		t.verdict = word + " " + t.scenario + " " + oneLine(message)
	}
	runtime.Goexit()
}

// Fatalf ends the scenario as failed.
func (t *T) Fatalf(format string, args ...any) { t.end("FAIL", fmt.Sprintf(format, args...)) }

// Unsupported ends the scenario because the client has no way to do it.
func (t *T) Unsupported(reason string) { t.end("UNSUPPORTED", reason) }

// Must fails the scenario when err is not nil.
func (t *T) Must(err error, what string) {
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// MustBe fails the scenario unless err is one of the wanted errors.
func (t *T) MustBe(what string, err error, wanted ...error) {
	for _, want := range wanted {
		if errors.Is(err, want) {
			return
		}
	}
	t.Fatalf("%s: got error %v, want one of %v", what, err, wanted)
}

// Logf tells people something that is not part of the result.
func (t *T) Logf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, t.scenario+": "+format+"\n", args...)
}

// Equal fails the scenario unless got equals want.
func Equal[V any](t *T, what string, got, want V) {
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

// Context ends when the scenario's time is over.
func (t *T) Context() context.Context { return t.ctx }

// Name makes the name of a topic or group that belongs to this scenario of this run alone.
func (t *T) Name(suffix string) string { return t.runID + "-" + t.scenario + "-" + suffix }

// Defer calls closing when the scenario ends, the last one first.
func (t *T) Defer(closing func()) { t.deferred = append(t.deferred, closing) }

// RestartBroker stops the broker with SIGTERM and returns when it is up again.
func (t *T) RestartBroker() { t.Must(t.broker.ask("restart"), "broker control") }

// KillBroker stops the broker with SIGKILL and returns when it is up again.
func (t *T) KillBroker() { t.Must(t.broker.ask("kill"), "broker control") }

// Until waits for the condition and fails the scenario when it does not come true in time.
func (t *T) Until(limit time.Duration, what string, condition func() bool) {
	ctx, cancel := context.WithTimeout(t.ctx, limit)
	defer cancel()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for !condition() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain for: %s", what)
		case <-ticker.C:
		}
	}
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func stacks() string {
	buffer := make([]byte, 1<<20)
	return string(buffer[:runtime.Stack(buffer, true)])
}
