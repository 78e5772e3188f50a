package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"rollway/internal/access"
	"rollway/internal/app"
	"rollway/internal/directory"
	"rollway/internal/lrs"
)

// StatementsCommand groups the commands on statements.
type StatementsCommand struct {
	Export  StatementsExport  `cmd:"" help:"Write statements, one a line (NDJSON), in the order of stored. Example: rollway statements export --out all.ndjson"`
	Import  StatementsImport  `cmd:"" makes:"house" help:"Bring in another record store's statements, from a file or from the store itself. Examples: rollway statements import all.ndjson; rollway statements import --from https://lrs.example/xapi --user KEY --password-file FILE"`
	Imports StatementsImports `cmd:"" help:"List imports of statements, the last one first."`
	Forward ForwardCommand    `cmd:"" help:"Send statements on to other record stores."`
	Verify  StatementsVerify  `cmd:"" help:"Read every statement and prove that it is unchanged. Example: rollway statements verify --against all.ndjson"`
}

// StatementsImport is `statements import`.
type StatementsImport struct {
	File         string `arg:"" optional:"" help:"Statements, one a line (NDJSON); - is standard input." placeholder:"FILE"`
	From         string `help:"Address of another record store's xAPI, e.g. https://lrs.example/xapi." placeholder:"URL"`
	User         string `help:"Key or user name there." placeholder:"KEY"`
	PasswordFile string `help:"File with the secret there; - is standard input. Or give the secret in the environment, as ROLLWAY_PASSWORD." placeholder:"FILE"`
	PlainHTTP    bool   `name:"plain-http" help:"Send the secret over http to another machine, readable on the way."`
	Resume       bool   `help:"Go on with the last import of this source."`
	Attachments  string `help:"Directory with the data of attachments, as export writes it; without it --from asks the other store for the data." placeholder:"DIR"`
	Organization
	Output
}

type importAnswer struct {
	lrs.Imported
	Rows []lrs.Problem `json:"problemRows"` // the first ones
}

// shownProblems bounds what is printed as JSON; all go to stderr.
const shownProblems = 1000

// Run stores the statements.
func (c *StatementsImport) Run(s *surroundings) error {
	if (c.File != "") == (c.From != "") {
		return misuse("Give either a file or --from, the address of a record store.")
	}
	src, done, err := c.source(s)
	if err != nil { // before a house is made
		return err
	}
	defer done()
	return s.houseOf(c.Organization, func(h *app.House, caller access.Caller) error {
		answer := importAnswer{Rows: []lrs.Problem{}}
		said := time.Now()
		o := lrs.ImportOptions{
			Resume: c.Resume,
			Problem: func(p lrs.Problem) {
				if len(answer.Rows) < shownProblems {
					answer.Rows = append(answer.Rows, p)
				}
				fmt.Fprintln(s.err, strings.TrimSpace(p.Place+" "+p.ID)+":", p.Message)
			},
			Progress: func(i lrs.Imported) {
				if time.Since(said) > 2*time.Second {
					said = time.Now()
					fmt.Fprintf(s.err, "%d stored, %d already here, %s so far.\n", i.Stored, i.Known, count(i.Problems, "problem"))
				}
			},
		}
		if c.Attachments != "" {
			o.Data = func(sha2 string) (io.ReadCloser, error) { return os.Open(filepath.Join(c.Attachments, sha2)) }
		}
		if answer.Imported, err = h.Records.Import(s, caller, src, o); err != nil {
			if answer.Number != 0 {
				fmt.Fprintf(s.err, "Broken off after %s; --resume goes on.\n", count(answer.Stored+answer.Known+answer.Problems, "statement"))
			}
			return err
		}
		i := answer.Imported
		rows := [][]string{{strconv.FormatInt(i.Number, 10), strconv.FormatInt(i.Stored, 10), strconv.FormatInt(i.Known, 10), strconv.FormatInt(i.Problems, 10)}}
		if err := c.print(s, answer, []string{"import", "stored", "already here", "problems"}, rows); err != nil {
			return err
		}
		if i.Problems > 0 {
			return fmt.Errorf("%w: %s not stored", errProblems, count(i.Problems, "statement"))
		}
		return nil
	})
}

// source opens what is imported.
func (c *StatementsImport) source(s *surroundings) (lrs.Source, func() error, error) {
	nothing := func() error { return nil }
	switch {
	case c.From != "":
		secret, err := password(c.PasswordFile)
		if err != nil {
			return nil, nil, err
		}
		r, err := lrs.NewRemote(lrs.RemoteConfig{Endpoint: c.From, User: c.User, Password: secret, PlainHTTP: c.PlainHTTP,
			Waiting: func(why string, d time.Duration) {
				fmt.Fprintf(s.err, "Waiting %v for %s: %s.\n", d.Round(time.Second), c.From, why)
			}})
		if err == nil && c.User != "" && secret == "" {
			err = misuse("Give the secret of %s: --password-file FILE, or ROLLWAY_PASSWORD in the environment.", c.User)
		}
		return r, nothing, usage(err)
	case c.File == "-":
		return lrs.NewLines("standard input", struct{ io.Reader }{os.Stdin}), nothing, nil
	}
	path, err := filepath.Abs(c.File)
	if err != nil {
		return nil, nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	return lrs.NewLines(path, f), f.Close, nil
}

// StatementsImports is `statements imports`.
type StatementsImports struct {
	Organization
	Output
}

// Run lists the imports.
func (c *StatementsImports) Run(s *surroundings) error {
	return s.houseOf(c.Organization, func(h *app.House, caller access.Caller) error {
		found, err := h.Records.Imports(s, caller)
		if err != nil {
			return err
		}
		rows := make([][]string, len(found))
		for n, i := range found {
			rows[n] = []string{strconv.FormatInt(i.Number, 10), i.Source, when(i.Begun), when(i.Ended), strconv.FormatInt(i.Stored, 10), strconv.FormatInt(i.Known, 10), strconv.FormatInt(i.Problems, 10)}
		}
		return c.print(s, found, []string{"import", "source", "begun", "ended", "stored", "already here", "problems"}, rows)
	})
}

// StatementsVerify is `statements verify`.
type StatementsVerify struct {
	Against string `help:"Also hold this export of the organization (default: default) against what is here, byte for byte." placeholder:"FILE"`
	Keys    bool   `help:"Also ask whether each statement is found by everything it can be found by; slow."`
	OrganizationOrAll
	Output
}

type verifyAnswer struct {
	lrs.Verified
	Exported int64        `json:"exported,omitzero"` // statements of the export
	Rows     []orgFinding `json:"rows"`              // the first ones
}

type orgFinding struct {
	Org string `json:"org"`
	lrs.Finding
}

// found is where findings in an organization go.
func (a *verifyAnswer) found(org string) func(lrs.Finding) {
	return func(f lrs.Finding) {
		if len(a.Rows) < shownProblems {
			a.Rows = append(a.Rows, orgFinding{org, f})
		}
	}
}

// Run verifies; findings make it fail.
func (c *StatementsVerify) Run(s *surroundings) error {
	return s.house(func(h *app.House) error {
		orgs, err := c.organizations(s, h)
		if err != nil {
			return err
		}
		answer, err := c.verify(s, h, orgs)
		if err != nil {
			return err
		}
		rows := make([][]string, len(answer.Rows))
		for i, f := range answer.Rows {
			rows[i] = []string{f.Org, strconv.FormatInt(int64(f.Position), 10), f.ID.String(), f.Message}
		}
		if err := c.printOf(s, orgs, answer, []string{"position", "id", "finding"}, rows); err != nil {
			return err
		}
		if answer.Findings > 0 {
			return fmt.Errorf("%s", count(answer.Findings, "finding"))
		}
		return nil
	})
}

// verify looks at the organizations, and at the export as one of the first.
func (c *StatementsVerify) verify(s *surroundings, h *app.House, orgs []directory.Organization) (answer verifyAnswer, err error) {
	answer.Rows = []orgFinding{}
	var export *os.File
	if c.Against != "" {
		if export, err = os.Open(c.Against); err != nil {
			return answer, err
		}
		defer export.Close()
	}
	for i, o := range orgs {
		verified, err := h.Records.Verify(s, access.CommandLine(o.ID), c.Keys, answer.found(o.Slug))
		if err != nil {
			return answer, err
		}
		answer.Statements += verified.Statements
		answer.Findings += verified.Findings
		if i == 0 { // later ones were looked at further
			answer.Through = verified.Through
		}
	}
	fmt.Fprintf(s.err, "Read %s, stored up to %s.\n", count(answer.Statements, "statement"), answer.Through.Format(time.RFC3339Nano))
	if export != nil {
		compared, err := h.Records.VerifyExport(s, access.CommandLine(orgs[0].ID), export, answer.found(orgs[0].Slug))
		if err != nil {
			return answer, err
		}
		fmt.Fprintf(s.err, "Compared %s of %s.\n", count(compared.Statements, "statement"), c.Against)
		answer.Exported = compared.Statements
		answer.Findings += compared.Findings
	}
	return answer, nil
}
