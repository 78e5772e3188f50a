package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime/pprof"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"rollway/internal/app"
)

// A child is this program run again as a server whose processor time can be profiled: `bench bare`, `bench house CONFIG`
// with the configuration in JSON, or `bench asked ENGINE DATABASE`. It prints its address; on its input come "profile FILE" and "stop", each answered by a
// line, and at its end it ends.
func child(ctx context.Context, args []string) error {
	switch {
	case len(args) == 1 && args[0] == "bare":
		return bare(ctx)
	case len(args) == 2 && args[0] == "house":
		return house(ctx, args[1])
	case len(args) == 3 && args[0] == "asked":
		return engineAlone(ctx, args[1], args[2])
	}
	return fmt.Errorf("unknown command %q", args)
}

// plenty is what bare's answers are made of.
var plenty = make([]byte, 1<<20)

// bare answers every request with a 303 whose Location is as long as a launch's, or /bytes/N with so many bytes.
func bare(ctx context.Context) error {
	location := "http://localhost/" + strings.Repeat("x", 600)
	return answer(ctx, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n, ok := strings.CutPrefix(r.URL.Path, "/bytes/"); ok {
			size, err := strconv.Atoi(n)
			if err != nil || size < 0 || size > len(plenty) {
				http.NotFound(w, r)
				return
			}
			if _, err := w.Write(plenty[:size]); err != nil {
				fmt.Fprintln(os.Stderr, "bare:", err)
			}
			return
		}
		w.Header().Set("Location", location)
		w.WriteHeader(http.StatusSeeOther)
	}))
}

// answer serves on a free port and obeys.
func answer(ctx context.Context, h http.Handler) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := &http.Server{Handler: h}
	failed := make(chan error, 1)
	go func() { failed <- s.Serve(l) }()
	err = obey(l.Addr().String())
	return errors.Join(err, s.Close(), ignore(<-failed, http.ErrServerClosed))
}

// house is what `rollway serve` runs, in this program.
func house(ctx context.Context, config string) error {
	var c app.Config
	if err := json.Unmarshal([]byte(config), &c); err != nil {
		return err
	}
	app.TuneCollector()
	h, err := app.Open(ctx, c)
	if err != nil {
		return err
	}
	lines := app.NewLines(os.Stderr)
	s, err := h.Serve(ctx, slog.New(slog.NewTextHandler(lines, nil)))
	if err != nil {
		return errors.Join(err, h.Close())
	}
	err = obey(s.Main.String())
	return errors.Join(err, s.Shutdown(ctx), h.Close(), lines.Close())
}

func ignore(err, expected error) error {
	if errors.Is(err, expected) {
		return nil
	}
	return err
}

// obey answers the commands on standard input until it ends.
func obey(address string) error {
	fmt.Println(address)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if err := profile(lines.Text()); err != nil {
			fmt.Println(err)
			return err
		}
		fmt.Println("ok")
	}
	return lines.Err()
}

var profiling *os.File

func profile(command string) error {
	name, start := strings.CutPrefix(command, "profile ")
	if !start {
		pprof.StopCPUProfile()
		return profiling.Close()
	}
	var err error
	if profiling, err = os.Create(name); err != nil {
		return err
	}
	return pprof.StartCPUProfile(profiling)
}

// profiled is a child that runs.
type profiled struct {
	*server
	in  io.WriteCloser
	out *bufio.Reader
}

// spawn starts this program as a child that logs to a file.
func spawn(ctx context.Context, log string, args ...string) (*profiled, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &profiled{server: &server{cmd: exec.CommandContext(ctx, self, args...), log: log}}
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer file.Close() // the child has its own
	p.cmd.Stderr = file
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	if p.address, err = p.line(); err != nil {
		return nil, errors.Join(err, p.end())
	}
	return p, nil
}

func (p *profiled) line() (string, error) {
	line, err := p.out.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("a child ended: %w; it said %s", err, tail(p.log))
	}
	return strings.TrimSpace(line), nil
}

func (p *profiled) tell(command string) error {
	if _, err := fmt.Fprintln(p.in, command); err != nil {
		return err
	}
	line, err := p.line()
	if err == nil && line != "ok" {
		err = errors.New(line)
	}
	return err
}

// end ends the child.
func (p *profiled) end() error { return errors.Join(p.in.Close(), p.cmd.Wait()) }
