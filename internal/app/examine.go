package app

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/mail"
	"rollway/internal/signin"
	"rollway/internal/signup"
)

// State is how serious a finding is.
type State string

// The states of findings.
const (
	Good State = "ok"
	Warn State = "warn"
	Bad  State = "bad" // must be repaired
)

// Finding is one thing the doctor looked at.
type Finding struct {
	State   State  `json:"state"`
	What    string `json:"what"`
	Finding string `json:"finding"`
	Fix     string `json:"fix,omitempty"`
}

// lowSpace is how much free space a data directory should have.
const lowSpace = 1 << 30

// Examine looks at an installation without changing it.
func Examine(ctx context.Context, c Config) []Finding {
	c, err := c.WithDefaults()
	if err != nil {
		return []Finding{{Bad, "configuration", err.Error(), "Change the setting it names."}}
	}
	found := []Finding{{Good, "configuration", "is complete", ""}}
	found = append(found, examineData(c.Data), examineSpace(c.Data))
	found = append(found, examineDatabase(ctx, c)...)
	found = append(found, examineMail(ctx, c), examinePasswords(c))
	found = append(found, examineSignup(c)...)
	return append(found, examineOrigins(c)...)
}

func examineData(dir string) Finding {
	info, err := os.Stat(dir)
	switch {
	case os.IsNotExist(err):
		return Finding{Warn, "data directory", dir + " is not there yet", "It is made at the first start."}
	case err != nil:
		return Finding{Bad, "data directory", err.Error(), "Let the user rollway runs as own it."}
	case !info.IsDir():
		return Finding{Bad, "data directory", dir + " is not a directory", "Give another --data."}
	case info.Mode().Perm()&0o077 != 0:
		return Finding{Warn, "data directory", fmt.Sprintf("%s can be read by others (%o)", dir, info.Mode().Perm()), "chmod 700 " + dir}
	}
	return Finding{Good, "data directory", dir, ""}
}

func examineSpace(dir string) Finding {
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return Finding{Warn, "free space", err.Error(), ""}
	}
	free := fs.Bavail * uint64(fs.Bsize)
	if free < lowSpace {
		return Finding{Bad, "free space", fmt.Sprintf("%d MB are left", free>>20), "Make room: without it nothing can be stored."}
	}
	return Finding{Good, "free space", fmt.Sprintf("%d GB are left", free>>30), ""}
}

func examineDatabase(ctx context.Context, c Config) []Finding {
	if fault.Is(c.hasDatabase(), fault.NotFound) {
		return []Finding{{Warn, "database", db.File(c.DB) + " is not there yet", "It is made at the first start."}}
	}
	d, err := db.Open(ctx, db.Options{URL: c.DB, Conns: 2})
	if err != nil {
		return []Finding{{Bad, "database", err.Error(), "Check --db and that the database runs."}}
	}
	found := []Finding{{Good, "database", d.Engine().String() + " answers", ""}}
	if err := d.Ready(ctx); err != nil {
		found = append(found, Finding{Bad, "schema", fault.Of(err).Message, "rollway migrate status"})
	} else {
		found = append(found, Finding{Good, "schema", "is up to date", ""}, examineKey(ctx, d, c.Data), examineDeadLetters(ctx, d))
	}
	if d.Engine() == db.SQLite {
		found = append(found, examineIntegrity(ctx, d))
	}
	if err := d.Close(); err != nil {
		found = append(found, Finding{Bad, "database", err.Error(), ""})
	}
	return found
}

func examineKey(ctx context.Context, d *db.DB, dir string) Finding {
	path := filepath.Join(dir, keyFile)
	if _, err := access.OpenKey(ctx, d, path); err != nil {
		return Finding{Bad, "key file", fault.Of(err).Message, "Put back the key file that belongs to this database."}
	}
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o077 != 0 {
		return Finding{Bad, "key file", path + " can be read by others", "chmod 600 " + path}
	}
	return Finding{Good, "key file", path, ""}
}

func examineIntegrity(ctx context.Context, d *db.DB) Finding {
	var said string
	err := d.Read(ctx, func(tx *db.Tx) error { return tx.Row(ctx, "PRAGMA quick_check(1)").Scan(&said) })
	switch {
	case err != nil:
		return Finding{Bad, "integrity", err.Error(), "Restore a backup."}
	case said != "ok":
		return Finding{Bad, "integrity", said, "Restore a backup."}
	}
	return Finding{Good, "integrity", "the database file is whole", ""}
}

// patience is how long a mail server may take to answer.
const patience = 10 * time.Second

func examineMail(ctx context.Context, c Config) Finding {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	said, err := mail.Probe(ctx, c.mail())
	switch f := fault.Of(err); {
	case err == nil:
		return Finding{Good, "mail", said, ""}
	case f.Code == "mail_none":
		return Finding{Warn, "mail", f.Message, "Set --mail, or see what waits with rollway mail list."}
	case f.Kind == fault.Internal:
		return Finding{Bad, "mail", err.Error(), "Check --mail."}
	default:
		return Finding{Bad, "mail", f.Message, "Check --mail and that the mail server runs."}
	}
}

func examinePasswords(c Config) Finding {
	if c.Compat {
		return Finding{Warn, "passwords", "may be short and common ones for who signs up by way of GLPI's door", "Leave out --glpi-compat unless a dashboard cannot do without."}
	}
	if c.PasswordMin < signin.Usual {
		return Finding{Warn, "passwords", fmt.Sprintf("may have only %d characters", c.PasswordMin), fmt.Sprintf("Give --password-min %d: a password is the only thing people prove themselves with.", signin.Usual)}
	}
	return Finding{Good, "passwords", fmt.Sprintf("have at least %d characters", c.PasswordMin), ""}
}

// examineSignup warns where a dashboard's link could let a stranger's password into an organization of many.
func examineSignup(c Config) []Finding {
	if link := signup.LinkForm(c.Link); c.Signup == "off" || c.Mode != "join" || link == "" || link == signup.OwnLink {
		return nil
	}
	return []Finding{{Warn, "sign-up", "is confirmed by a dashboard, which cannot ask whether who got the mail chose the password", "Give --signup-link own, so that people confirm on a page that does."}}
}

func examineDeadLetters(ctx context.Context, d *db.DB) Finding {
	switch dead, err := mail.Dead(ctx, d); {
	case err != nil:
		return Finding{Bad, "dead letters", err.Error(), ""}
	case dead > 0:
		return Finding{Warn, "dead letters", fmt.Sprintf("%d messages were refused, or could not be sent for a day", dead), "Look with rollway mail list, and send again with rollway mail retry."}
	}
	return Finding{Good, "dead letters", "there are none", ""}
}

// isHere tells whether a host name stands for whatever machine asks.
func isHere(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || (ip != nil && ip.IsLoopback())
}

func examineOrigins(c Config) []Finding {
	var found []Finding
	public, _ := url.Parse(c.PublicURL) // both were parsed by WithDefaults
	courseware, _ := url.Parse(c.CoursewareURL)
	switch {
	case public.Hostname() == courseware.Hostname() && public.Hostname() != "localhost":
		found = append(found, Finding{Bad, "courseware origin", "has the host name of the pages; cookies do not tell ports apart", "Give --courseware-url another host name."})
	case isHere(courseware.Hostname()) && !isHere(public.Hostname()):
		found = append(found, Finding{Bad, "courseware origin", "is " + c.CoursewareURL + ", which nobody reaches from elsewhere", "Give --courseware-url the address that people reach the second listener at."})
	case public.Scheme == "https" && courseware.Scheme == "http":
		found = append(found, Finding{Bad, "courseware origin", c.CoursewareURL + " is not encrypted as the pages are, so that browsers do not show it in them", "Give --courseware-url an https address."})
	case c.CoursewareSingleHost:
		found = append(found, Finding{Warn, "courseware origin", "one host for all packages: they are sandboxed and cannot keep anything in the browser", "Set up wildcard DNS and drop --courseware-single-host."})
	default:
		found = append(found, Finding{Good, "courseware origin", "packages live at p-ID." + courseware.Host, ""})
	}
	host, _, err := net.SplitHostPort(c.HTTP)
	if ip := net.ParseIP(host); err == nil && public.Scheme == "http" && public.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		found = append(found, Finding{Warn, "TLS", c.PublicURL + " is not encrypted", "Put a reverse proxy with TLS in front and set --public-url to its https address."})
	}
	return found
}
