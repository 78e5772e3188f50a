package xapi

// The rules that input can break, with the sections of xAPI 1.0.3 that state
// them (xAPI 2.0 numbers its sections differently but says the same).
var (
	ruleJSON      = rule{"the text must be well-formed JSON in UTF-8", "RFC 8259"}
	ruleDuplicate = rule{"an object must not use a name more than once", "Data 2.2"}
	ruleDepth     = rule{"JSON must not be nested deeper than 64 levels", ""}
	ruleNUL       = rule{"a string must not contain the character U+0000", ""}
	ruleTrailing  = rule{"nothing may follow the JSON value", "RFC 8259"}
	ruleNull      = rule{"null is allowed inside extensions only", "Data 2.2"}
	ruleUnknown   = rule{"this name is not one that the standard allows here (names are case sensitive)", "Data 2.2"}

	ruleString  = rule{"must be a string", "Data 2.2"}
	ruleBoolean = rule{"must be true or false", "Data 2.2"}
	ruleNumber  = rule{"must be a number", "Data 2.2"}

	ruleVersionHeader = rule{"the xAPI version must be 1.0, 1.0.x, 2.0 or 2.0.x", "Communication 3.3"}
	ruleUUID          = rule{"must be a UUID in its standard form, such as fd41c918-b88b-4b20-a0a5-a4c32391aaa0", "Data 4.4"}
	ruleIRI           = rule{"must be an absolute IRI with a scheme", "Data 2.2, 4.3"}
	ruleLanguage      = rule{"must be a language tag as in RFC 5646", "Data 4.2"}
	ruleLanguageMap   = rule{"must be a language map: an object from language tags to strings", "Data 4.2"}
	ruleTimestamp     = rule{"must be a timestamp as in RFC 3339, such as 2026-01-31T12:00:00.000Z, with no negative zero offset", "Data 4.5"}
	ruleDuration      = rule{"must be an ISO 8601 duration, such as PT1H30M or P4W", "Data 4.6"}
	ruleExtensions    = rule{"extensions must be an object whose names are IRIs", "Data 4.1"}

	ruleStatement      = rule{"a statement must be an object", "Data 2.4"}
	ruleBatch          = rule{"must be a statement or an array of statements", "Communication 2.1.2"}
	ruleBatchID        = rule{"two statements of one batch must not have the same id", "Communication 2.1.2"}
	ruleNeedsActor     = rule{"a statement needs an actor", "Data 2.2"}
	ruleNeedsVerb      = rule{"a statement needs a verb", "Data 2.2"}
	ruleNeedsObject    = rule{"a statement needs an object", "Data 2.2"}
	ruleVersionV1      = rule{"the version of a statement must be 1.0 or 1.0.x", "Data 2.4.10"}
	ruleVersionV2      = rule{"the version of a statement must be 1.0, 1.0.x, 2.0 or 2.0.x", "Data 2.4.10"}
	ruleVoiding        = rule{"the object of a voiding statement must be a StatementRef", "Data 2.3.2"}
	ruleVerb           = rule{"a verb must be an object", "Data 2.4.3"}
	ruleNeedsVerbID    = rule{"a verb needs an id", "Data 2.4.3"}
	ruleSubOnly        = rule{"a SubStatement must not contain a SubStatement", "Data 2.4.4.3"}
	ruleSubMembers     = rule{"a SubStatement must not have id, stored, version or authority", "Data 2.4.4.3"}
	ruleObject         = rule{"the object of a statement must be an object", "Data 2.4.4"}
	ruleObjectType     = rule{"objectType must be Activity, Agent, Group, StatementRef or SubStatement", "Data 2.4.4"}
	ruleNotInActivity  = rule{"an Activity has objectType, id and definition only", "Data 2.4.4.1"}
	ruleNotInAgent     = rule{"an Agent has objectType, name and one identifier only", "Data 2.4.2.1"}
	ruleNotInGroup     = rule{"a Group has objectType, name, member and at most one identifier only", "Data 2.4.2.2"}
	ruleNotInRef       = rule{"a StatementRef has objectType and id only", "Data 2.4.4.3"}
	ruleNotInSub       = rule{"this name does not belong in a SubStatement", "Data 2.4.4.3"}
	ruleRef            = rule{"a statement reference must be an object with objectType StatementRef and id", "Data 2.4.4.3"}
	ruleRefType        = rule{"the objectType of a statement reference must be StatementRef", "Data 2.4.4.3"}
	ruleRefID          = rule{"a StatementRef needs the id of a statement", "Data 2.4.4.3"}
	ruleActivity       = rule{"an Activity must be an object", "Data 2.4.4.1"}
	ruleActivityType   = rule{"the objectType of an Activity must be Activity", "Data 2.4.4.1"}
	ruleActivityID     = rule{"an Activity needs an id", "Data 2.4.4.1"}
	ruleDefinition     = rule{"the definition of an Activity must be an object", "Data 2.4.4.1"}
	ruleInteraction    = rule{"interactionType must be one of true-false, choice, fill-in, long-fill-in, matching, performance, sequencing, likert, numeric, other", "Data 2.4.4.1"}
	ruleNeedsType      = rule{"an interaction activity needs an interactionType", "Data 2.4.4.1"}
	rulePattern        = rule{"correctResponsesPattern must be an array of strings", "Data 2.4.4.1"}
	ruleComponents     = rule{"a list of interaction components must be an array of objects", "Data 2.4.4.1"}
	ruleComponentID    = rule{"an interaction component needs an id that is a string", "Data 2.4.4.1"}
	ruleComponentTwice = rule{"the ids of a list of interaction components must be distinct", "Data 2.4.4.1"}

	ruleActor        = rule{"an actor must be an Agent or Group object", "Data 2.4.2"}
	ruleActorType    = rule{"the objectType of an actor must be Agent or Group", "Data 2.4.2"}
	ruleAgentType    = rule{"the objectType of an Agent must be Agent", "Data 2.4.2.1"}
	ruleGroupType    = rule{"the objectType of a Group must be Group, and must be given", "Data 2.4.2.2"}
	ruleNoIFI        = rule{"an Agent needs one of mbox, mbox_sha1sum, openid and account", "Data 2.4.2.1"}
	ruleManyIFIs     = rule{"an Agent or Group must not have more than one of mbox, mbox_sha1sum, openid and account", "Data 2.4.2"}
	ruleOnlyIFI      = rule{"an identifier must be an object with mbox, mbox_sha1sum, openid or account alone", "Data 2.4.2.3"}
	ruleMember       = rule{"member must be an array of Agents", "Data 2.4.2.2"}
	ruleNeedsMember  = rule{"a Group without an identifier needs at least one member", "Data 2.4.2.2"}
	ruleMbox         = rule{"mbox must be mailto: and an e-mail address", "Data 2.4.2.3"}
	ruleSHA1         = rule{"mbox_sha1sum must be 40 hexadecimal digits", "Data 2.4.2.3"}
	ruleAccount      = rule{"an account must be an object with homePage and name only", "Data 2.4.2.4"}
	ruleAccountHome  = rule{"an account needs a homePage", "Data 2.4.2.4"}
	ruleAccountName  = rule{"an account needs a name that is not empty", "Data 2.4.2.4"}
	ruleAuthority    = rule{"a Group as authority must have two Agents as members and no identifier", "Data 2.4.9"}
	ruleResult       = rule{"a result must be an object", "Data 2.4.5"}
	ruleScore        = rule{"a score must be an object", "Data 2.4.5.1"}
	ruleScaled       = rule{"scaled must be between -1 and 1", "Data 2.4.5.1"}
	ruleMinMax       = rule{"min must be less than max", "Data 2.4.5.1"}
	ruleRawMin       = rule{"raw must not be less than min", "Data 2.4.5.1"}
	ruleRawMax       = rule{"raw must not be greater than max", "Data 2.4.5.1"}
	ruleContext      = rule{"a context must be an object", "Data 2.4.6"}
	ruleRevision     = rule{"revision and platform may be used only if the object is an Activity", "Data 2.4.6"}
	ruleContextActs  = rule{"contextActivities must be an object of parent, grouping, category and other", "Data 2.4.6.2"}
	ruleContextAct   = rule{"must be an Activity or an array of Activities", "Data 2.4.6.2"}
	ruleContextAgent = rule{"contextAgents must be an array of objects with objectType contextAgent, agent and relevantTypes", "2.0 Data 4.2.2.5"}
	ruleContextGroup = rule{"contextGroups must be an array of objects with objectType contextGroup, group and relevantTypes", "2.0 Data 4.2.2.5"}
	ruleRelevant     = rule{"relevantTypes must be an array of at least one IRI", "2.0 Data 4.2.2.5"}
	ruleAttachments  = rule{"attachments must be an array of objects", "Data 2.4.11"}
	ruleAttachment   = rule{"an attachment needs usageType, display, contentType, length and sha2", "Data 2.4.11"}
	ruleContentType  = rule{"contentType must be an Internet media type", "Data 2.4.11"}
	ruleLength       = rule{"length must be a number of bytes: an integer that is not negative", "Data 2.4.11"}
	ruleSHA2         = rule{"sha2 must be a SHA-2 hash in hexadecimal", "Data 2.4.11"}
)
