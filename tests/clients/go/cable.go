package harness

import (
	"context"
	"errors"
	"net"
	"sync"
)

// Cable is a dialer whose connections can all be cut, so that a member vanishes without a goodbye.
type Cable struct {
	mu          sync.Mutex
	connections []net.Conn
	isCut       bool
}

// DialContext is what franz-go wants of a dialer.
func (c *Cable) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	connection, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.isCut {
		connection.Close()
		return nil, errors.New("the cable is cut")
	}
	c.connections = append(c.connections, connection)
	return connection, nil
}

// Dial is what sarama wants of a dialer.
func (c *Cable) Dial(network, address string) (net.Conn, error) {
	return c.DialContext(context.Background(), network, address)
}

// Cut closes all connections for good.
func (c *Cable) Cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.isCut = true
	for _, connection := range c.connections {
		connection.Close()
	}
}
