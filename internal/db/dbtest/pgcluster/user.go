package pgcluster

import (
	"errors"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// unprivileged returns the attributes that make a child run as an ordinary user, and that user's id (-1: unchanged).
func unprivileged() (*syscall.SysProcAttr, int, error) {
	if os.Geteuid() != 0 {
		return &syscall.SysProcAttr{}, -1, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue // no such user here; the next will do
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(uidErr, gidErr); err != nil {
			return nil, 0, err
		}
		return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, int(uid), nil
	}
	return nil, 0, errors.New("PostgreSQL refuses to run as root, and there is no user postgres or nobody to run it as")
}
