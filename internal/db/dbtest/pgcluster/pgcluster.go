// Package pgcluster runs PostgreSQL clusters for tests: a data folder of its own, a private Unix socket and no TCP port.
//
// The binaries are Debian's (/usr/lib/postgresql/N/bin, the newest) or else those on PATH. A server refuses to run as
// root, so for root everything runs as the user postgres, or nobody. Whatever ends the test process, SIGKILL included,
// also ends the cluster and removes its folder: a small shell guard waits for the closing of a pipe that only this
// process holds.
//
// The settings are those of a real server: fsync and synchronous_commit stay on, because tests that kill the server
// prove nothing about durability otherwise, and because a commit must cost here what it costs there. The cluster
// sorts text by ICU rules, as most installations do, so that SQL which counts on byte order fails here first.
package pgcluster

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

const (
	startLimit  = 60 * time.Second // how long a server may take to answer, recovery after Kill included
	orphanLimit = 5 * time.Second  // how long the backends of a killed server may take to notice
)

// guardScript stops the server and removes the folder when its standard input closes. It tries again because an initdb
// that outlives the test process still writes for a moment.
const guardScript = `read -r _
for pause in 0 1 2 4 8; do
	sleep $pause
	"$1/pg_ctl" stop -s -m immediate -D "$2/data"
	rm -rf "$2" && exit
done
exit 1`

// Cluster is one running PostgreSQL server. Its methods are not for several goroutines at once.
type Cluster struct {
	bin    string // folder of initdb, postgres, pg_ctl
	dir    string // holds data/, the socket and the log
	attr   *syscall.SysProcAttr
	server *exec.Cmd
	exited chan struct{} // closed when server has ended
	guard  *exec.Cmd
	pipe   io.Closer // closing it sets the guard to work
}

// Start makes a cluster in a new folder below os.TempDir and returns when it answers. It runs until Stop, the end of
// the process, or until nothing refers to the Cluster any more. It fails with a sentence on how to install PostgreSQL
// when there is none.
func Start() (*Cluster, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	attr, uid, err := unprivileged()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(shortTempDir(), "rollway-pg-")
	if err != nil {
		return nil, err
	}
	if err := os.Chown(dir, uid, -1); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	c := &Cluster{bin: bin, dir: dir, attr: attr}
	if err := c.watch(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := c.run("initdb", "-D", dir+"/data", "-U", "postgres", "-A", "trust", "--no-sync", "--no-instructions",
		"-E", "UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	if err := c.Restart(); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

// URL returns the address of the database postgres; its user postgres may do everything and has no password.
func (c *Cluster) URL() string {
	return "postgres://postgres@/postgres?host=" + url.QueryEscape(c.dir)
}

// Kill ends the server with SIGKILL, as a crash would, and returns once it is gone. Restart brings it back.
func (c *Cluster) Kill() error {
	if err := c.server.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-c.exited
	return nil
}

// Restart starts the server, after a Kill if it still runs, and returns when it answers again.
func (c *Cluster) Restart() error {
	if c.server != nil {
		if err := c.Kill(); err != nil {
			return err
		}
	}
	// The backends of a killed server live until they notice, and until then their shared memory keeps a new one out.
	for deadline := time.Now().Add(orphanLimit); ; time.Sleep(50 * time.Millisecond) {
		if err := c.launch(); err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

// launch starts the server once and returns when it answers.
func (c *Cluster) launch() error {
	log, err := os.OpenFile(c.dir+"/log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close() // the server has its own copy
	c.server = exec.Command(c.bin+"/postgres", "-D", c.dir+"/data",
		"-c", "listen_addresses=", "-c", "unix_socket_directories="+c.dir,
		"-c", "max_connections=400", "-c", "shared_buffers=256MB", "-c", "max_wal_size=4GB")
	c.server.Dir, c.server.SysProcAttr = c.dir, c.attr
	c.server.Stdout, c.server.Stderr = log, log
	if err := c.server.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	c.exited = exited
	go func(server *exec.Cmd) {
		_ = server.Wait() // how it ended is in the log, which await quotes
		close(exited)
	}(c.server)
	return c.await()
}

// Stop ends the server and removes everything it wrote.
func (c *Cluster) Stop() error {
	if err := c.pipe.Close(); err != nil {
		return err
	}
	if err := c.guard.Wait(); err != nil {
		return fmt.Errorf("cleaning up the PostgreSQL cluster in %s: %w", c.dir, err)
	}
	return nil
}

// await returns when the server answers, and fails with the end of its log when it has given up.
func (c *Cluster) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	for {
		if exec.CommandContext(ctx, c.bin+"/pg_isready", "-q", "-h", c.dir).Run() == nil {
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
			continue
		case <-c.exited:
		case <-ctx.Done():
		}
		log, err := os.ReadFile(c.dir + "/log")
		if err != nil {
			return err
		}
		return fmt.Errorf("PostgreSQL did not start; its log ends with:\n%s", log[max(0, len(log)-2000):])
	}
}

// run runs one of the binaries to its end as the cluster's user.
func (c *Cluster) run(name string, args ...string) error {
	cmd := exec.Command(filepath.Join(c.bin, name), args...)
	cmd.Dir, cmd.SysProcAttr = c.dir, c.attr
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, bytes.TrimSpace(out))
	}
	return nil
}

// watch starts the guard. It leads a process group of its own, so that ctrl-C leaves it alive to do its work.
func (c *Cluster) watch() error {
	attr := *c.attr
	attr.Setpgid = true
	c.guard = exec.Command("/bin/sh", "-c", guardScript, "guard", c.bin, c.dir)
	c.guard.Dir, c.guard.SysProcAttr = "/", &attr
	pipe, err := c.guard.StdinPipe()
	if err != nil {
		return err
	}
	c.pipe = pipe
	return c.guard.Start()
}

// binaries returns the folder of the newest PostgreSQL server here.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return cmp.Compare(version(a), version(b)) })), nil
	}
	if onPath, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(onPath), nil
	}
	return "", errors.New("the tests need a PostgreSQL server (15 or newer): run ./test as root, or apt-get install postgresql, " +
		"or set ROLLWAY_TEST_POSTGRES to the URL of a server on which databases may be created")
}

// version reads N from /usr/lib/postgresql/N/bin/initdb; what is no number counts as oldest.
func version(initdb string) int {
	n, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(initdb))))
	if err != nil {
		return 0
	}
	return n
}

// shortTempDir is os.TempDir, unless a socket's path in it would pass the 107 bytes that the kernel allows.
func shortTempDir() string {
	if dir := os.TempDir(); len(dir) < 60 {
		return dir
	}
	return "/tmp"
}
