package app

import (
	"io"
	"sync"
	"time"
)

// Lines is a writer for a log of which thousands of lines may come in a second. A line that comes alone is written at once;
// those that come soon after another are written together, since a write costs about as much as making a line.
type Lines struct {
	w io.Writer

	mu    sync.Mutex
	held  []byte
	soon  bool // after a write: what comes now is held until the next
	over  bool
	wrong error // of a write that nobody was told of yet
}

// How long lines are held, and how many bytes of them.
const (
	holdFor  = 10 * time.Millisecond
	holdMost = 64 << 10
)

// NewLines returns Lines that end up in w. Close them at the end; a process that is killed loses what is held.
func NewLines(w io.Writer) *Lines { return &Lines{w: w} }

// Write takes whole lines. Its error may be that of lines before.
func (l *Lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = append(l.held, p...)
	switch {
	case l.over, len(l.held) >= holdMost:
		l.write()
	case !l.soon:
		l.soon = true
		time.AfterFunc(holdFor, l.next)
		l.write()
	}
	return len(p), l.tell()
}

// Close writes what is held. Lines that come later are written at once.
func (l *Lines) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	l.write()
	return l.tell()
}

func (l *Lines) next() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.soon = len(l.held) > 0; l.soon {
		time.AfterFunc(holdFor, l.next)
		l.write()
	}
}

func (l *Lines) write() {
	if len(l.held) == 0 {
		return
	}
	if _, err := l.w.Write(l.held); err != nil && l.wrong == nil {
		l.wrong = err
	}
	l.held = l.held[:0]
}

func (l *Lines) tell() error {
	err := l.wrong
	l.wrong = nil
	return err
}
