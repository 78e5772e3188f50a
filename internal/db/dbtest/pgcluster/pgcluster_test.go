package pgcluster

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// ask runs SQL on a connection of its own and returns the first value of its last row, as text.
func ask(t *testing.T, c *Cluster, sql string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, err := pgconn.Connect(ctx, c.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	results, err := conn.Exec(ctx, sql).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	last := results[len(results)-1]
	if len(last.Rows) == 0 {
		return ""
	}
	return string(last.Rows[0][0])
}

func TestLife(t *testing.T) {
	t.Parallel()
	c, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(c.dir); !os.IsNotExist(err) {
			t.Errorf("after Stop %s is still there: %v", c.dir, err)
		}
	}()
	for name, want := range map[string]string{"fsync": "on", "synchronous_commit": "on", "listen_addresses": ""} {
		if got := ask(t, c, "SHOW "+name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if got := ask(t, c, "SELECT string_agg(v, '' ORDER BY v) FROM unnest(ARRAY['b','a','B','A']) v"); got != "aAbB" {
		t.Errorf("text sorts as %q, want the ICU order aAbB", got)
	}
	for _, crash := range []func() error{c.Kill, c.Restart} { // Restart kills by itself what still runs
		ask(t, c, "CREATE TABLE IF NOT EXISTS kept (v int); INSERT INTO kept VALUES (1)")
		if err := crash(); err != nil {
			t.Fatal(err)
		}
		if err := c.Restart(); err != nil {
			t.Fatal(err)
		}
	}
	if got := ask(t, c, "SELECT count(*) FROM kept"); got != "2" {
		t.Errorf("after two crashes %s of 2 rows are left", got)
	}
}

// TestOrphan kills a process that holds a cluster: the guard must end the cluster and remove its folder.
func TestOrphan(t *testing.T) {
	t.Parallel()
	if os.Getenv("PGCLUSTER_HOLD") != "" {
		c, err := Start()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("holds " + c.dir)
		select {}
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestOrphan$")
	cmd.Env = append(os.Environ(), "PGCLUSTER_HOLD=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatalf("the holder says nothing: %v", lines.Err())
	}
	dir, ok := strings.CutPrefix(lines.Text(), "holds ")
	if !ok {
		t.Fatalf("the holder says %q", lines.Text())
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the holder ended by itself")
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(dir); os.IsNotExist(err) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s outlived its holder by 20 s", dir)
		}
	}
}
