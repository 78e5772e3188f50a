package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// mostMemory is what the server may have resident, whatever it does.
const mostMemory = 512 << 20

// idle measures the memory of a server that has nothing to do.
func (s *site) idle(ctx context.Context, title string, most int64) error {
	select {
	case <-time.After(5 * time.Second):
	case <-ctx.Done():
		return ctx.Err()
	}
	bytes, err := residentOf(s.server.pid(), "VmRSS")
	if err != nil {
		return err
	}
	r := result{engine: s.engine, title: title, ours: megabytes(bytes)}
	if most > 0 {
		r.judge(bytes <= most, fmt.Sprintf("≤ %d MB", most>>20))
	}
	s.results = append(s.results, r)
	return nil
}

// peak adds the greatest resident size of the server since it started, or since the last line of this kind. The kernel
// keeps it, so that none is missed.
func (s *site) peak(during string) error {
	bytes, err := residentOf(s.server.pid(), "VmHWM")
	if err != nil {
		return err
	}
	r := result{engine: s.engine, title: "Greatest resident size of the server: " + during, ours: megabytes(bytes)}
	r.judge(bytes <= mostMemory, fmt.Sprintf("≤ %d MB", mostMemory>>20))
	s.results = append(s.results, r)
	s.say("%-9s memory     at most %s: %s", s.engine, r.ours, during)
	return s.forgetPeak()
}

// forgetPeak has the kernel begin anew with the greatest resident size (proc_pid_clear_refs(5)). Where that is not allowed,
// later lines tell the greatest since the start.
func (s *site) forgetPeak() error {
	err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", s.server.pid()), []byte("5"), 0)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func megabytes(bytes int64) string { return fmt.Sprintf("%.0f MB", float64(bytes)/(1<<20)) }
