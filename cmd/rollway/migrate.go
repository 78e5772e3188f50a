package main

import (
	"fmt"
	"strconv"

	"rollway/internal/app"
	"rollway/internal/db"
)

// MigrateCommand groups the commands on the database schema.
type MigrateCommand struct {
	Status MigrateStatus `cmd:"" help:"List the steps of the schema and when each was applied."`
	Up     MigrateUp     `cmd:"" makes:"house" help:"Apply the steps that are pending."`
}

// MigrateStatus is `migrate status`.
type MigrateStatus struct{ Output }

// Run lists the steps.
func (c *MigrateStatus) Run(s *surroundings) error {
	return s.database(func(d *db.DB) error {
		steps, err := d.MigrationStatus(s)
		if err != nil {
			return err
		}
		return c.printSteps(s, steps)
	})
}

// MigrateUp is `migrate up`.
type MigrateUp struct{ Output }

// Run applies what is pending.
func (c *MigrateUp) Run(s *surroundings) error {
	return s.database(func(d *db.DB) error {
		steps, err := d.Migrate(s)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.err, "%s applied.\n", count(len(steps), "step"))
		return c.printSteps(s, steps)
	})
}

type shownStep struct {
	Number  int     `json:"number"`
	Name    string  `json:"name"`
	Applied *string `json:"applied"` // null while pending
}

func (o Output) printSteps(s *surroundings, steps []db.StepStatus) error {
	rows, shown := make([][]string, len(steps)), make([]shownStep, len(steps))
	for i, st := range steps {
		shown[i] = shownStep{st.Number, st.Name, orNull(st.Applied)}
		at := "pending"
		if !st.Applied.IsZero() {
			at = when(st.Applied)
		}
		rows[i] = []string{strconv.Itoa(st.Number), st.Name, at}
	}
	return o.print(s, shown, []string{"step", "name", "applied"}, rows)
}

// database opens the database as it is, without migrating it.
func (s *surroundings) database(fn func(*db.DB) error) (err error) {
	d, err := app.OpenDB(s, s.config)
	if err != nil {
		return usage(err)
	}
	defer func() {
		if closed := d.Close(); err == nil {
			err = closed
		}
	}()
	return fn(d)
}
