package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"
)

const (
	probePage  = 4096 // bytes
	probeEvery = 20 * time.Millisecond
)

// probeDisk writes the same page of a file of its own again and again until ctx ends, and records how long it took to be on
// the disk: what whoever stores must wait for there, whatever he stores.
func probeDisk(ctx context.Context, dir string, record func(at time.Time, took time.Duration)) error {
	f, err := os.OpenFile(filepath.Join(dir, "probe"), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	page := make([]byte, probePage)
	for ctx.Err() == nil && err == nil {
		begun := time.Now()
		if _, err = f.WriteAt(page, 0); err == nil {
			err = f.Sync()
		}
		record(begun, time.Since(begun))
		select {
		case <-ctx.Done():
		case <-time.After(probeEvery):
		}
	}
	return errors.Join(err, f.Close(), os.Remove(f.Name()))
}
