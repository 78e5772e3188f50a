package glpi

import (
	"net/http"

	"rollway/internal/directory"
	"rollway/internal/id"
)

// The profiles of the dialect, by number. Nobody has a session while they are inactive.
const (
	profileRegistered = 2
	profileService    = 3
)

// self is who a session belongs to, in the dialect's terms.
type self struct {
	number      int64 // 0 for a service token
	login       string
	first, last string
	profile     int
	entity      directory.Organization
}

func (d *Door) self(a *ask) (self, error) {
	if s := a.from.service; s != nil {
		entity, err := d.Directory.OrganizationByID(a.Context(), s.Org)
		return self{login: s.Name, profile: profileService, entity: entity}, err
	}
	entity, err := d.Directory.OrganizationByID(a.Context(), a.from.caller.Org)
	if err != nil {
		return self{}, err
	}
	p, err := d.Directory.Self(a.Context(), a.from.caller)
	first, last := names(p)
	return self{p.Number, loginOf(p), first, last, profileRegistered, entity}, err
}

func (s self) profileName() string {
	if s.profile == profileService {
		return "service"
	}
	return "registered users"
}

func (s self) entityItem() item { return item{"id": s.entity.ID, "name": s.entity.Name} }

func (s self) profileItem() item {
	entity := s.entityItem()
	entity["is_recursive"] = 0
	return item{"id": s.profile, "name": s.profileName(), "entities": []item{entity}}
}

// described is what getFullSession tells: what dashboards read, and nothing of how the server works.
func (d *Door) described(a *ask) (item, error) {
	s, err := d.self(a)
	if err != nil {
		return nil, err
	}
	return item{
		"glpiID": s.number, "glpiname": s.login, "glpirealname": s.last, "glpifirstname": s.first,
		"glpiactive_entity": s.entity.ID, "glpiactive_entity_name": s.entity.Name,
		"glpiactiveprofile": s.profileItem(), "glpiprofiles": []item{s.profileItem()}, "valid_id": a.from.token,
	}, nil
}

func (d *Door) fullSession(a *ask) (answer, error) {
	session, err := d.described(a)
	return answer{body: item{"session": session}}, err
}

func (d *Door) myProfiles(a *ask) (answer, error) {
	s, err := d.self(a)
	return answer{body: item{"myprofiles": []item{s.profileItem()}}}, err
}

func (d *Door) activeProfile(a *ask) (answer, error) {
	s, err := d.self(a)
	p := s.profileItem()
	p["interface"] = "central"
	return answer{body: item{"active_profile": p}}, err
}

// changeProfile takes the one profile that somebody has.
func (d *Door) changeProfile(a *ask) (answer, error) {
	v, ok := a.values["profiles_id"]
	if !ok {
		return answer{}, refuse(http.StatusBadRequest, codeError, "parameter profiles_id is missing")
	}
	s, err := d.self(a)
	if err != nil {
		return answer{}, err
	}
	if n, ok := numberOf(v); !ok || n != int64(s.profile) {
		return answer{}, errNoItem()
	}
	return answer{body: true}, nil
}

func (d *Door) myEntities(a *ask) (answer, error) {
	s, err := d.self(a)
	return answer{body: item{"myentities": []item{s.entityItem()}}}, err
}

func (d *Door) activeEntities(a *ask) (answer, error) {
	s, err := d.self(a)
	return answer{body: item{"active_entity": item{"id": s.entity.ID, "active_entity_recursive": false, "active_entities": []item{{"id": s.entity.ID}}}}}, err
}

// changeEntities takes the one entity that somebody has, which has none below it.
func (d *Door) changeEntities(a *ask) (answer, error) {
	s, err := d.self(a)
	if err != nil {
		return answer{}, err
	}
	if v, ok := a.values["is_recursive"]; ok {
		if _, isBool := v.(bool); !isBool {
			return answer{}, refuse(http.StatusBadRequest, codeError, "is_recursive must be true or false")
		}
	}
	if v, ok := a.values["entities_id"]; ok && v != "all" {
		if n, ok := numberOf(v); !ok || id.OrgID(n) != s.entity.ID {
			return answer{}, refuse(http.StatusBadRequest, codeError, "there is no such entity among yours")
		}
	}
	return answer{body: true}, nil
}

// glpiConfig tells what the sign-up page needs, which is the rule for passwords.
func (d *Door) glpiConfig(*ask) (answer, error) {
	return answer{body: item{"cfg_glpi": item{
		"use_password_security": 1, "password_min_length": d.policy().Min,
		"password_need_number": 0, "password_need_letter": 0, "password_need_caps": 0, "password_need_symbol": 0,
	}}}, nil
}
