package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"rollway/internal/access"
	"rollway/internal/app"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/xapi"
)

// usageError is one that the command line must be changed for.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// misuse is a usageError about arguments that do not go together.
func misuse(format string, args ...any) error {
	return usageError{fault.New(fault.Invalid, "usage", format, args...)}
}

// usage makes a usageError of what is Invalid: the domain was given nothing but values of the command line.
func usage(err error) error {
	if fault.Is(err, fault.Invalid) {
		return usageError{err}
	}
	return err
}

// timeFlag is a time on the command line.
type timeFlag struct{ time.Time }

func (t *timeFlag) UnmarshalText(text []byte) (err error) {
	if t.Time, err = time.Parse(time.RFC3339, string(text)); err != nil {
		return fmt.Errorf("%q is no time; write it like 2026-01-31T12:00:00Z", text)
	}
	return nil
}

// ageFlag is a length of time, also in days.
type ageFlag time.Duration

func (a *ageFlag) UnmarshalText(text []byte) error {
	d, err := app.ParseAge(string(text))
	*a = ageFlag(d)
	return err
}

// scopeFlag is one scope.
type scopeFlag access.Scope

func (s *scopeFlag) UnmarshalText(text []byte) error {
	scope, err := access.ParseScope(string(text))
	*s = scopeFlag(scope)
	return err
}

// agentFlag is an agent as xAPI writes it.
type agentFlag struct{ xapi.Agent }

func (a *agentFlag) UnmarshalText(text []byte) (err error) {
	if a.Agent, err = xapi.ParseAgent(text); err != nil {
		return fmt.Errorf(`write an agent as in xAPI, e.g. {"mbox":"mailto:ada@example.com"}: %w`, err)
	}
	return nil
}

// accountFlag is homePage|name.
type accountFlag struct{ xapi.IFI }

func (a *accountFlag) UnmarshalText(text []byte) (err error) {
	page, name, _ := strings.Cut(string(text), "|")
	if a.IFI, err = xapi.ParseAccount(page, name); err != nil {
		return fmt.Errorf("%q is not homePage|name: %w", text, err)
	}
	return nil
}

// registrationFlag is a registration; the nil UUID is none, and would select all.
type registrationFlag struct{ id.RegistrationID }

func (r *registrationFlag) UnmarshalText(text []byte) error {
	err := r.RegistrationID.UnmarshalText(text)
	if err == nil && r.IsZero() {
		err = errors.New("the nil UUID is no registration")
	}
	return err
}
