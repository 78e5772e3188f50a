package blob

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// nothing is named.
func nothing(context.Context, byte, func([32]byte)) error { return nil }

func age(t *testing.T, s *Store, sums ...[32]byte) {
	t.Helper()
	long := time.Now().Add(-48 * time.Hour)
	for _, sum := range sums {
		if err := os.Chtimes(s.path(sum), long, long); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCollectRemovesWhatIsOldAndNamedByNothing(t *testing.T) {
	t.Parallel()
	s := open(t)
	var named [][32]byte
	for i := range 50 {
		ref := put(t, s, fmt.Sprint("named ", i))
		named = append(named, ref.SHA256)
		age(t, s, ref.SHA256, put(t, s, fmt.Sprint("left ", i)).SHA256)
	}
	young := put(t, s, "young")
	again, renewed := put(t, s, "put again"), put(t, s, "renewed")
	age(t, s, again.SHA256, renewed.SHA256)
	put(t, s, "put again")
	if err := s.Renew(renewed.SHA256); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(s.dir, "00", "README")
	if err := os.WriteFile(foreign, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	removed, err := s.Collect(t.Context(), time.Now().Add(-24*time.Hour), func(_ context.Context, first byte, add func([32]byte)) error {
		for _, sum := range named {
			if sum[0] == first {
				add(sum)
			}
		}
		return nil
	})
	if err != nil || removed != 50 {
		t.Fatalf("%d removed, %v", removed, err)
	}
	for _, sum := range append(named, young.SHA256, again.SHA256, renewed.SHA256) {
		if err := s.Verify(sum); err != nil {
			t.Error(err)
		}
	}
	if n := len(files(t, s)); n != 54 {
		t.Errorf("%d files are left", n)
	}
	if err := s.Renew([32]byte{1}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("renewed what is not there: %v", err)
	}
	broken := errors.New("the database is away")
	age(t, s, young.SHA256)
	if removed, err := s.Collect(t.Context(), time.Now(), func(context.Context, byte, func([32]byte)) error { return broken }); removed != 0 || !errors.Is(err, broken) {
		t.Errorf("without an answer: %d removed, %v", removed, err)
	}
}

// A blob that was put is there, whatever is collected at the same time.
func TestCollectBesidePuts(t *testing.T) {
	t.Parallel()
	s := open(t)
	stop := make(chan struct{})
	var collecting, putting sync.WaitGroup
	collecting.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := s.Collect(context.Background(), time.Now().Add(-24*time.Hour), nothing); err != nil {
				t.Error(err)
			}
		}
	})
	for writer := range 4 {
		putting.Go(func() {
			for i := range 100 {
				content := fmt.Sprint("blob ", writer, i%3) // its own, as it ages them
				ref, err := s.Put(context.Background(), strings.NewReader(content))
				if err != nil {
					t.Error(err)
					return
				}
				if err := s.Verify(ref.SHA256); err != nil {
					t.Errorf("gone after it was put: %v", err)
				}
				long := time.Now().Add(-48 * time.Hour)
				if err := os.Chtimes(s.path(ref.SHA256), long, long); err != nil && !errors.Is(err, fs.ErrNotExist) {
					t.Error(err)
				}
			}
		})
	}
	putting.Wait()
	close(stop)
	collecting.Wait()
}

// TestPutForever is not a test but the process that TestKilledPuts kills.
func TestPutForever(t *testing.T) {
	dir := os.Getenv("ROLLWAY_TEST_PUT_FOREVER")
	if dir == "" {
		return
	}
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; ; i++ {
		if _, err := s.Put(t.Context(), strings.NewReader(strings.Repeat(fmt.Sprint(i, " "), 200_000))); err != nil {
			t.Fatal(err)
		}
	}
}

// Killed at any moment, putting leaves whole blobs and temporary files, and collecting leaves nothing of these.
func TestKilledPuts(t *testing.T) {
	t.Parallel()
	s := open(t)
	for i := range 5 {
		c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestPutForever$")
		c.Env = append(os.Environ(), "ROLLWAY_TEST_PUT_FOREVER="+s.dir)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(150*time.Millisecond + time.Duration(i)*17*time.Millisecond)
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := c.Wait(); err == nil {
			t.Fatal("it ended by itself")
		}
	}
	blobs := 0
	for _, name := range files(t, s) {
		path := filepath.Join(s.dir, name)
		if sum, ok := nameOf(name); ok {
			blobs++
			if err := s.Verify(sum); err != nil {
				t.Error(err)
			}
		}
		long := time.Now().Add(-48 * time.Hour)
		if err := os.Chtimes(path, long, long); err != nil {
			t.Fatal(err)
		}
	}
	if blobs == 0 {
		t.Error("nothing was put")
	}
	if _, err := s.Collect(t.Context(), time.Now().Add(-24*time.Hour), nothing); err != nil {
		t.Fatal(err)
	}
	if left := files(t, s); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// nameOf is the hash that a file below the store is named by.
func nameOf(file string) (sum [32]byte, ok bool) {
	b, err := hex.DecodeString(strings.ReplaceAll(file, "/", ""))
	if err != nil || len(b) != len(sum) {
		return sum, false
	}
	return [32]byte(b), true
}

// What a Put made is dropped, unless it was there before or somebody has put or renewed it since.
func TestDrop(t *testing.T) {
	t.Parallel()
	s := open(t)
	is := func(what string, ref Ref, there bool) {
		t.Helper()
		if err := s.Drop(ref); err != nil {
			t.Fatal(err)
		}
		if err := s.Verify(ref.SHA256); errors.Is(err, fs.ErrNotExist) == there {
			t.Errorf("%s: %v", what, err)
		}
	}
	is("alone", put(t, s, "alone"), false)
	is("again after it was dropped", put(t, s, "alone"), false)
	made := put(t, s, "put twice")
	again := put(t, s, "put twice")
	is("who put it second", again, true)
	is("who put it first", made, true)
	made = put(t, s, "renewed")
	if err := s.Renew(made.SHA256); err != nil {
		t.Fatal(err)
	}
	is("renewed", made, true)
}
