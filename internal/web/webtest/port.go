// Package webtest gives tests what they need to serve on this machine.
package webtest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

var given struct {
	sync.Mutex
	ports map[int]bool
}

// Port is a TCP port of the loopback that nobody listens on, never the same twice in one process. It lies below the range
// the system takes for outgoing connections, so that a server can be stopped and started again on it.
func Port() (string, error) {
	given.Lock()
	defer given.Unlock()
	for range 200 {
		port := 12000 + rand.IntN(18000)
		if given.ports[port] {
			continue
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue // somebody else's
		}
		if err := l.Close(); err != nil {
			return "", err
		}
		if given.ports == nil {
			given.ports = map[int]bool{}
		}
		given.ports[port] = true
		return fmt.Sprint(port), nil
	}
	return "", errors.New("no free port")
}
