package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tick is the unit of processor times under /proc: USER_HZ, 100 on every Linux.
const tick = 10 * time.Millisecond

// cpuOf is the processor time that a process has used, to the tick.
func cpuOf(pid int) (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	return parseStat(b)
}

// parseStat reads utime and stime of proc_pid_stat(5). The name may hold blanks and brackets.
func parseStat(b []byte) (time.Duration, error) {
	at := bytes.LastIndexByte(b, ')')
	if at < 0 {
		return 0, fmt.Errorf("not a process status: %.60q", b)
	}
	f := strings.Fields(string(b[at+1:]))
	if len(f) < 13 {
		return 0, fmt.Errorf("not a process status: %.60q", b)
	}
	user, err := strconv.Atoi(f[11])
	system, more := strconv.Atoi(f[12])
	return time.Duration(user+system) * tick, errors.Join(err, more)
}

// residentOf is the memory of a process that is in RAM, in bytes: now (VmRSS), or at most so far (VmHWM).
func residentOf(pid int, which string) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	return parseResident(string(b), which)
}

func parseResident(status, which string) (int64, error) {
	for line := range strings.Lines(status) {
		if rest, ok := strings.CutPrefix(line, which+":"); ok {
			kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kb << 10, err
		}
	}
	return 0, errors.New("the process status names no " + which)
}

// busy is the processor time that the whole machine has used, with what its host took away.
func busy() (time.Duration, error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	return parseBusy(string(b))
}

// parseBusy adds user, nice, system, irq, softirq and steal of proc_stat(5).
func parseBusy(stat string) (time.Duration, error) {
	line, _, _ := strings.Cut(stat, "\n")
	f := strings.Fields(line)
	if len(f) < 9 || f[0] != "cpu" {
		return 0, fmt.Errorf("not the machine's status: %.60q", line)
	}
	var sum time.Duration
	for _, i := range []int{1, 2, 3, 6, 7, 8} {
		n, err := strconv.Atoi(f[i])
		if err != nil {
			return 0, err
		}
		sum += time.Duration(n) * tick
	}
	return sum, nil
}

// postgresPids are the processes that a PostgreSQL server on this machine works for the bench with: the backends of
// databases whose name begins so, and those of the same server that write for everybody.
func postgresPids(database string) []int {
	if database == "" {
		return nil
	}
	titles, _ := filepath.Glob("/proc/[0-9]*/cmdline") // the pattern is well formed
	servers := map[int]bool{}
	var pids, writers []int
	for _, file := range titles {
		title, err := os.ReadFile(file) // a process that ended meanwhile has none
		pid, bad := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil || bad != nil || !bytes.HasPrefix(title, []byte("postgres: ")) {
			continue
		}
		if bytes.Contains(title, []byte(database)) {
			pids = append(pids, pid)
			servers[parentOf(pid)] = true
		} else if bytes.Contains(title, []byte("writer")) || bytes.Contains(title, []byte("checkpointer")) {
			writers = append(writers, pid)
		}
	}
	for _, pid := range writers {
		if servers[parentOf(pid)] {
			pids = append(pids, pid)
		}
	}
	return pids
}

// parentOf is the process that started another, 0 when that ended meanwhile.
func parentOf(pid int) int {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(f) < 2 {
		return 0
	}
	parent, err := strconv.Atoi(f[1])
	if err != nil {
		return 0
	}
	return parent
}

// meter measures processor time between two moments: the server's, and that of work that is not ours.
type meter struct {
	server     int // its process, 0 for none
	database   string
	ours       map[int]time.Duration
	busy       time.Duration
	start      time.Time
	serverTook time.Duration
	dbTook     time.Duration // PostgreSQL's processes
	loadTook   time.Duration // this process, which makes the load
	others     float64
}

// meterOf measures a server's process, this one, and PostgreSQL's that work for databases whose name begins so.
func meterOf(server int, database string) *meter { return &meter{server: server, database: database} }

func (m *meter) begin() (err error) {
	if m.ours, err = m.used(); err != nil {
		return err
	}
	m.start = time.Now()
	m.busy, err = busy()
	return err
}

// used is the processor time of each process of ours until now. One that ended meanwhile is left out.
func (m *meter) used() (map[int]time.Duration, error) {
	pids := append(postgresPids(m.database), os.Getpid())
	if m.server != 0 {
		pids = append(pids, m.server)
	}
	used := map[int]time.Duration{}
	for _, pid := range pids {
		took, err := cpuOf(pid)
		if errors.Is(err, fs.ErrNotExist) && pid != m.server {
			continue
		}
		if err != nil {
			return nil, err
		}
		used[pid] = took
	}
	return used, nil
}

func (m *meter) end() error {
	all, err := busy()
	if err != nil {
		return err
	}
	all -= m.busy
	took := time.Since(m.start)
	now, err := m.used()
	if err != nil {
		return err
	}
	for pid, used := range now {
		used -= m.ours[pid] // nothing, for one that began meanwhile
		all -= used
		switch pid {
		case m.server:
			m.serverTook = used
		case os.Getpid():
			m.loadTook = used
		default:
			m.dbTook += used
		}
	}
	m.others = max(0, all.Seconds()/took.Seconds())
	return nil
}

// machine describes what the figures were measured on.
func machine() string {
	model, kernel := "unknown processor", ""
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, rest, ok := strings.Cut(string(b), "model name"); ok {
			line, _, _ := strings.Cut(rest, "\n")
			model = strings.TrimSpace(strings.TrimLeft(line, " \t:"))
		}
	}
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		kernel = strings.TrimSpace(string(b))
	}
	return fmt.Sprintf("%d × %s, Linux %s, %s", runtime.NumCPU(), model, kernel, runtime.Version())
}

// inMemory reports whether a directory is on a file system that loses everything at a power cut.
func inMemory(dir string) (bool, error) {
	const tmpfs, ramfs = 0x01021994, 0x858458f6
	var stat syscall.Statfs_t
	err := syscall.Statfs(dir, &stat)
	return uint32(stat.Type) == tmpfs || uint32(stat.Type) == ramfs, err
}
