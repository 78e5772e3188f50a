// Command with runs another command beside a PostgreSQL cluster of its own, whose URL it hands over in
// ROLLWAY_TEST_POSTGRES, and ends with that command's status. The cluster is gone afterwards, whatever happened.
//
//	go run ./internal/db/dbtest/pgcluster/with go test ./...
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"rollway/internal/db/dbtest/pgcluster"
)

func main() {
	status, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "with:", err)
		status = 1
	}
	os.Exit(status)
}

// run returns the exit status of the command, or why there is none.
func run(command []string) (status int, err error) {
	if len(command) == 0 {
		return 0, errors.New("usage: with COMMAND [ARGUMENT…]")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cluster, err := pgcluster.Start()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, cluster.Stop()) }()

	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.Env = append(os.Environ(), "ROLLWAY_TEST_POSTGRES="+cluster.URL())
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.Exited() {
		return exit.ExitCode(), nil
	}
	return 0, err
}
