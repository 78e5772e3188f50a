package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/go-json-experiment/json"

	"rollway/internal/app"
	"rollway/internal/content/sample"
)

// installation is where one engine's data lies, and the binary that works on it.
type installation struct {
	binary string
	dir    string
	db     string // its URL, or "" for SQLite in dir
}

// build makes the product as it is shipped.
func build(ctx context.Context, into string) (string, error) {
	out := filepath.Join(into, "rollway")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", out, "rollway/cmd/rollway")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	return out, cmd.Run()
}

// flags are the command line's flags that name the installation.
func (in installation) flags() []string {
	f := []string{"--data", in.dir}
	if in.db != "" {
		f = append(f, "--db", in.db)
	}
	return f
}

// command runs a command of the product and reads the JSON it prints.
func (in installation) command(ctx context.Context, into any, args ...string) error {
	cmd := exec.CommandContext(ctx, in.binary, append(append(in.flags(), args...), "-o", "json")...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("rollway %s: %w: %s", strings.Join(args, " "), err, errs.String())
	}
	return json.Unmarshal(out, into)
}

// furnish adds the sample course and a service account with every right that the load needs, and returns the account's
// token and its key and secret.
func (in installation) furnish(ctx context.Context) (a account, err error) {
	zip, err := sample.Zip()
	if err != nil {
		return a, err
	}
	file := filepath.Join(in.dir, "course.zip")
	if err := os.MkdirAll(in.dir, 0o700); err != nil {
		return a, err
	}
	if err := os.WriteFile(file, zip, 0o600); err != nil {
		return a, err
	}
	var course struct {
		ActivityID string `json:"activityId"`
	}
	if err := in.command(ctx, &course, "content", "add", file); err != nil {
		return a, err
	}
	if course.ActivityID != activity {
		return a, fmt.Errorf("the sample course is %s, not %s", course.ActivityID, activity)
	}
	err = in.command(ctx, &a, "service-account", "create", "--name", "bench", "--scope", "people:write,credentials:mint,all")
	return a, err
}

// account is the service account that the load comes from.
type account struct {
	Key    string `json:"key"`
	Secret string `json:"secret"`
	Token  string `json:"token"`
}

// server is a process of ours that answers requests.
type server struct {
	cmd     *exec.Cmd
	address string
	exited  chan error
	log     string // what it says
}

func (s *server) pid() int { return s.cmd.Process.Pid }

// serve starts `rollway serve` on free ports and waits until it is ready. It logs to a file, as under a supervisor.
func (in installation) serve(ctx context.Context) (*server, error) {
	c, err := in.config()
	if err != nil {
		return nil, err
	}
	args := append(in.flags(), "--http", c.HTTP, "--courseware-http", c.CoursewareHTTP, "serve")
	s := &server{cmd: exec.CommandContext(ctx, in.binary, args...), address: c.HTTP, log: filepath.Join(in.dir, "serve.log")}
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the process has its own
	s.cmd.Stderr = log
	if err := s.start(); err != nil {
		return nil, err
	}
	return s, s.ready(ctx)
}

// config is the installation's, with two ports that are free now.
func (in installation) config() (app.Config, error) {
	c := app.Config{Data: in.dir, DB: in.db}
	for _, address := range []*string{&c.HTTP, &c.CoursewareHTTP} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return c, err
		}
		defer l.Close() // both are held until both are known
		*address = l.Addr().String()
	}
	return c, nil
}

func (s *server) start() error {
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) }
	s.cmd.WaitDelay = 20 * time.Second
	if err := s.cmd.Start(); err != nil {
		return err
	}
	s.exited = make(chan error, 1)
	go func() { s.exited <- s.cmd.Wait() }()
	return nil
}

// ready waits until the server answers.
func (s *server) ready(ctx context.Context) error {
	for range 300 {
		if c, err := dial(ctx, s.address); err == nil {
			r, err := c.do(get(s.address, "/readyz"))
			if err = errors.Join(err, c.close()); err == nil && r.status == 200 {
				return nil
			}
		}
		select {
		case err := <-s.exited:
			return fmt.Errorf("the server ended before it was ready: %w; it said %s", err, tail(s.log))
		case <-ctx.Done():
			return errors.Join(ctx.Err(), s.stop())
		case <-time.After(50 * time.Millisecond):
		}
	}
	return errors.Join(fmt.Errorf("the server was not ready within 15 s; it said %s", tail(s.log)), s.stop())
}

func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return <-s.exited
}

// tail is the end of what a server said.
func tail(log string) string {
	b, err := os.ReadFile(log)
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-2000):])
}
