package db

import (
	"os"
	"path/filepath"
	"sync"
)

// handle is a handle of a database file beside SQLite's own, to sync it. Closing any handle of a file ends all locks that the
// process has on it (fcntl(2)), SQLite's too: so a process has one for each file, and closes it after all connections.
type handle struct {
	*os.File
	path  string // absolute
	users int
}

var handles = struct {
	sync.Mutex
	open map[string]*handle
}{open: map[string]*handle{}}

// openHandle returns the process's handle of a file. Each is to be released.
func openHandle(path string) (*handle, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	handles.Lock()
	defer handles.Unlock()
	h := handles.open[path]
	if h == nil {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			return nil, err
		}
		h = &handle{File: f, path: path}
		handles.open[path] = h
	}
	h.users++
	return h, nil
}

// release is called when the connections of who opened it are closed.
func (h *handle) release() error {
	handles.Lock()
	defer handles.Unlock()
	if h.users--; h.users > 0 {
		return nil
	}
	delete(handles.open, h.path)
	return h.Close()
}
