package db

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"rollway/internal/db/schema"
	"rollway/internal/fault"
)

// StepStatus is one step of the schema as [DB.MigrationStatus] found it.
type StepStatus struct {
	Number  int
	Name    string
	Applied time.Time // zero while pending
}

// Migrate brings the schema up to date and returns the steps it applied. Each step is one transaction, so a killed
// migration resumes at the step it was in. It refuses a schema that is newer than this program or whose steps differ.
func (d *DB) Migrate(ctx context.Context) ([]StepStatus, error) {
	if err := d.prepareSteps(ctx); err != nil {
		return nil, err
	}
	var applied []StepStatus
	for {
		var did *StepStatus
		err := d.Write(ctx, func(tx *Tx) (err error) {
			did = nil
			if err := tx.Lock(ctx, "schema"); err != nil {
				return err
			}
			did, err = d.nextStep(ctx, tx)
			return err
		})
		if err != nil {
			return applied, err
		}
		if did == nil {
			return applied, nil
		}
		applied = append(applied, *did)
	}
}

// MigrationStatus lists the steps this program knows and when each was applied. A schema it cannot work with is an error.
func (d *DB) MigrationStatus(ctx context.Context) (steps []StepStatus, err error) {
	err = d.Read(ctx, func(tx *Tx) error {
		have, err := d.haveSteps(ctx, tx)
		if err != nil {
			return err
		}
		steps, err = compareSteps(have)
		return err
	})
	return steps, err
}

// Ready returns an error that says what to do when the schema is not the one this program needs.
func (d *DB) Ready(ctx context.Context) error {
	steps, err := d.MigrationStatus(ctx)
	if err != nil {
		return err
	}
	for _, s := range steps {
		if s.Applied.IsZero() {
			return fault.New(fault.Unavailable, "schema_pending", "The database lacks schema step %d (%s). Run `rollway migrate up`.", s.Number, s.Name)
		}
	}
	return nil
}

func (d *DB) prepareSteps(ctx context.Context) error {
	return d.Write(ctx, func(tx *Tx) error {
		if err := tx.Lock(ctx, "schema"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, schema.Expand("CREATE TABLE IF NOT EXISTS schema_steps (number bigint PRIMARY KEY, name text NOT NULL, checksum bytea NOT NULL, applied bigint NOT NULL)", tx.Engine == PostgreSQL))
		return err
	})
}

type appliedStep struct {
	number   int
	name     string
	checksum []byte
	at       time.Time
}

func (d *DB) haveSteps(ctx context.Context, tx *Tx) (have []appliedStep, err error) {
	exists := "SELECT count(*) FROM sqlite_master WHERE name = 'schema_steps'"
	if tx.Engine == PostgreSQL {
		exists = "SELECT count(*) FROM pg_tables WHERE tablename = 'schema_steps' AND schemaname = current_schema()"
	}
	var n int
	if err := tx.Row(ctx, exists).Scan(&n); err != nil || n == 0 {
		return nil, err
	}
	err = tx.Each(ctx, "SELECT number, name, checksum, applied FROM schema_steps ORDER BY number", nil, func(r *Rows) error {
		var s appliedStep
		if err := r.Scan(&s.number, &s.name, &s.checksum, &s.at); err != nil {
			return err
		}
		have = append(have, s)
		return nil
	})
	return have, err
}

func compareSteps(have []appliedStep) ([]StepStatus, error) {
	known := schema.Steps()
	if len(have) > len(known) {
		return nil, fault.New(fault.Unavailable, "schema_newer", "The database is at schema step %d, this program knows %d: it was written by a newer rollway. Use that one, or restore a backup.", len(have), len(known))
	}
	steps := make([]StepStatus, len(known))
	for i, k := range known {
		steps[i] = StepStatus{Number: k.Number, Name: k.Name}
		if i >= len(have) {
			continue
		}
		if h := have[i]; h.number != k.Number || !bytes.Equal(h.checksum, k.Checksum[:]) {
			return nil, fault.New(fault.Unavailable, "schema_differs", "Schema step %d in the database (%s) is not the one this program knows (%s): it was written by a different build of rollway.", h.number, h.name, k.Name)
		}
		steps[i].Applied = have[i].at
	}
	return steps, nil
}

// nextStep applies the first pending step, or returns nil when there is none.
func (d *DB) nextStep(ctx context.Context, tx *Tx) (*StepStatus, error) {
	have, err := d.haveSteps(ctx, tx)
	if err != nil {
		return nil, err
	}
	steps, err := compareSteps(have)
	if err != nil || len(have) == len(steps) {
		return nil, err
	}
	step := schema.Steps()[len(have)]
	for _, stmt := range schema.Split(schema.Expand(step.SQL, tx.Engine == PostgreSQL)) {
		if _, err := tx.Exec(ctx, stmt); err != nil {
			return nil, errors.Join(fmt.Errorf("schema step %d (%s): %.200s", step.Number, step.Name, stmt), err)
		}
	}
	now := tx.Now()
	if _, err := tx.Exec(ctx, "INSERT INTO schema_steps (number, name, checksum, applied) VALUES (?, ?, ?, ?)", step.Number, step.Name, step.Checksum[:], now); err != nil {
		return nil, err
	}
	return &StepStatus{step.Number, step.Name, now}, nil
}
