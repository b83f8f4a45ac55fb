package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// churnLines tells the harness what members see, each line with the time and written at once.
type churnLines struct {
	mutex sync.Mutex
}

func (l *churnLines) say(member int, format string, args ...any) {
	text := strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " ")
	l.mutex.Lock()
	defer l.mutex.Unlock()
	fmt.Printf("%d %d %s\n", time.Now().UnixMicro(), member, text)
}

// churn is many members of groups in one process, or the producer, as the harness says: tests/clients/CHURN.md. It ends
// with the input, and then with whatever members there are.
func churn(args []string) {
	if len(args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: churn BOOTSTRAP TOPIC")
		os.Exit(2)
	}
	bootstrap, topic, lines := args[0], args[1], new(churnLines)
	members := make(map[int]*churnMember)
	var producer *churnProducer
	commands := bufio.NewScanner(os.Stdin)
	for commands.Scan() {
		words := strings.Fields(commands.Text())
		switch words[0] {
		case "join":
			number := integer(words[1])
			members[number] = startChurnMember(bootstrap, topic, words[2], words[3], number, lines)
		case "leave":
			number := integer(words[1])
			members[number].leave()
			delete(members, number)
		case "state":
			for _, member := range members {
				member.stateAsked.Store(true)
			}
		case "produce":
			producer = startChurnProducer(bootstrap, topic, integer(words[1]), integer(words[2]), lines)
		case "stop":
			producer.stop()
		default:
			fmt.Fprintf(os.Stderr, "no command: %s\n", commands.Text())
			os.Exit(2)
		}
	}
}

func integer(word string) int {
	number, err := strconv.Atoi(word)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	return number
}
