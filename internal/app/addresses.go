package app

import (
	"context"
	"strings"

	"rollway/internal/db"
)

// Accounts and authorities that are made here stand at the public address for good, whoever makes them: the server, or a
// command beside it. So the server writes down where it answers, and commands that are not told go by that.

const (
	publicURL     = "public-url"
	coursewareURL = "courseware-url"
	listener      = "http" // of the first origin
)

// announce writes down where the server answers.
func (h *House) announce(ctx context.Context) error {
	return h.DB.Write(ctx, func(tx *db.Tx) error {
		for name, url := range map[string]string{publicURL: h.Config.PublicURL, coursewareURL: h.Config.CoursewareURL, listener: "http://" + h.Config.HTTP} {
			err := tx.Defer(ctx, "INSERT INTO addresses (name, url) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET url = excluded.url", name, url)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// addressesOf replaces the default addresses by those of the server. given is the Config before defaults were filled in.
func (c Config) addressesOf(ctx context.Context, d *db.DB, given Config) (Config, error) {
	if given.Serves {
		return c, nil
	}
	err := d.Read(ctx, func(tx *db.Tx) error {
		return tx.Each(ctx, "SELECT name, url FROM addresses", nil, func(r *db.Rows) error {
			var name, url string
			err := r.Scan(&name, &url)
			switch {
			case name == publicURL && given.PublicURL == "":
				c.PublicURL = url
			case name == coursewareURL && given.CoursewareURL == "":
				c.CoursewareURL = url
			case name == listener: // which nobody but a server has
				c.HTTP = strings.TrimPrefix(url, "http://")
			}
			return err
		})
	})
	if err != nil {
		return c, err
	}
	return c, c.check()
}
