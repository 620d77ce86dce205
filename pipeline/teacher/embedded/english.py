"""English words and how they change: enough to turn a plain sentence into a question about it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

Tense = Literal["base", "s", "past", "ing"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


BE = _words("is are was were am")
MODALS = _words("can could may might must shall should will would cannot")
DO = _words("do does did")
HAVE = _words("has have had")
AUXILIARIES = BE | MODALS | DO | HAVE
NEGATIONS = _words("not never")

ARTICLES = _words("a an the")
POSSESSIVES = _words("my your his her its our their whose")
DEMONSTRATIVES = _words("this these those such")
NUMERALS = _words(
    "one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty fifty hundred first second third"
)
QUANTIFIERS = _words("all any both each either enough every few fewer less many more most much neither no several some")
DETERMINERS = ARTICLES | POSSESSIVES | DEMONSTRATIVES | NUMERALS | QUANTIFIERS | {"another", "other", "that"}

PREPOSITIONS = _words(
    "about above across after against along among around as at before behind below beneath beside between beyond by "
    "despite down during except for from in inside into like near of off on onto out outside over past per since "
    "than through throughout to toward towards under until up upon via with within without"
)
STRANDABLE = _words("about after against at between for from in into like of on over through to towards upon with")
SUBORDINATORS = _words(
    "although because before after if once since so than that though till unless until when whenever where whereas "
    "whether which while who whom whose what how why whoever whatever as"
)
RELATIVES = _words("who which that whom whose when while where if what how")
INDEFINITES = _words(
    "anybody anyone anything everybody everyone everything nobody none nothing somebody someone something whoever"
)
THIRD_PERSON = _words(
    "he him his himself she her hers herself it its itself they them their theirs themselves"
)
FIRST_PERSON = _words("i me my mine myself we us our ours ourselves")
SUBJECT_PRONOUNS = _words("i you he she it we they")
ADVERBS = _words(
    "always often usually seldom rarely never sometimes frequently generally normally regularly commonly typically "
    "also only merely simply really just even still already soon quickly slowly easily clearly actually directly "
    "nearly almost mostly mainly partly largely fully therefore thus now then today too very quite early late well "
    "badly exactly politely together apart away back aside instead further once twice first again"
)
PREVERBAL = _words(
    "always often usually seldom rarely never sometimes frequently generally normally commonly typically also only merely "
    "simply really just even still already soon hardly mostly mainly"
)
"""Adverbs that belong to the verb behind them; others before a verb may belong to the subject."""
CONNECTIVES = (
    "However", "Therefore", "Moreover", "Furthermore", "In addition", "For example", "For instance", "Also", "Thus",
    "Of course", "In short", "In fact", "As a result", "Nevertheless", "Still", "Besides", "Finally", "Indeed",
    "On the other hand", "At the same time", "By contrast", "In contrast", "Similarly", "Likewise", "Consequently",
)  # fmt: skip

IRREGULAR_PLURALS = _words("people children men women feet teeth mice geese police staff data media criteria emoji those")
SINGULAR_IN_S = _words(
    "news politics physics mathematics economics ethics analysis basis crisis emphasis thesis process success access "
    "progress business focus status bus gas series always perhaps less this his its is was has does yes us plus thus"
)
PERSONS = _words(
    "chaplain provider applicant player voter veteran donor buyer seller lawyer judge nurse pupil neighbour neighbor baby "
    "adult asker author boss caller chairperson chairman child citizen client coach colleague commander couple customer "
    "doctor employee expert friend guest human individual interviewer leader learner lecturer listener man manager "
    "member nurse officer opponent owner parent participant partner patient people person physician player reader "
    "researcher scientist sender sister sister soldier speaker staff student teacher team teller trainer user visitor "
    "woman worker writer nobody someone somebody anyone everyone everybody whoever"
)
ADJECTIVES = _words(
    "able absent abstract active afraid angry bad best better big brief bright busy calm capital careful cheap clear "
    "clever closed cold common complete concrete crossed daily dangerous deep defensive different difficult direct "
    "early easy empty exact fair false famous fast final fine firm formal free fresh friendly full general gentle glad "
    "good grand great happy hard harmful harsh heated heavy helpful hesitant hidden high honest hostile human important "
    "indirect inferior kind large last late leading likely little local long loud low main major mere minor modern "
    "most narrow necessary negative nervous new next nonverbal odd old only open ordinary passive passive-aggressive "
    "personal plain polite poor positive possible precise present private proper public quick quiet rare ready real "
    "recent regular remote respectful right rude sad safe same satisfied second serious shared sharp short shy sick "
    "silent similar simple slow small social soft sour special specific strange strong sudden sure sweet tall thick "
    "thin tiny tired true trusted unclear unfair unsafe useful usual vague valuable verbal warm weak whole wide wise "
    "wrong young written sarcastic numbered online visual spoken mutual emotional physical mental cultural various "
    "national international federal military military medical legal political economic natural original additional"
)
_ADJECTIVE_ENDINGS = ("ful", "ous", "less", "able", "ible")
COMPARATIVES = _words(
    "better worse more less fewer longer shorter kinder faster slower easier harder larger smaller calmer louder warmer "
    "colder stronger weaker clearer safer sooner later earlier higher lower richer older younger quicker gentler fuller "
    "deeper wider simpler greater cheaper bigger"
)

# Verbs that are seldom anything else, and verbs that are as often nouns or adjectives: the second kind is
# believed only where no word of the first kind could be the verb.
STRONG_VERBS = _words(
    "abandon absorb accompany accomplish account activate administer advocate align allocate alter amend analyse analyze "
    "anticipate appoint approve arrange assert assign assist attach attain authorise authorize await ban bind boost "
    "capture cease characterise characterize circumvent cite clear coincide command compel compile compute concede "
    "condemn confer confine confront conserve constitute construct consult consume contend contest contrast cope "
    "counter cultivate cure decrease dedicate deem degrade depict deploy deprive descend deter devote dictate diagnose "
    "differentiate digest direct disclose display dispose disrupt dissolve distort distribute diversify dominate donate "
    "educate elect eliminate embody embrace emerge enact encounter endure enforce engage enhance enlarge enrich ensue "
    "entail entitle equip evolve exclude execute exert exhibit exploit export expose foresee foster found fulfil fulfill "
    "function fund furnish generalise generalize govern guarantee halt harvest hinder host house implement import "
    "incorporate incur induce infer inhabit inherit inhibit initiate inject injure innovate inspect install integrate "
    "intensify interact interfere invade invent invest investigate irritate justify knit lay lift link load locate "
    "manipulate manufacture marry mediate merge migrate minimise minimize mobilise mobilize modify monitor multiply "
    "necessitate nurture obey oblige occupy operate overcome overlap oversee perpetuate persist possess pour prescribe "
    "preside presume prevail print prioritise prioritize project prompt propose prosper provoke purchase pursue qualify "
    "quote react reassure rebuild reconcile recover recruit regain register regulate reinforce rely render renew rent "
    "repay rescue resemble resign resist retain retire retrieve revise revive rise rotate sacrifice safeguard sanction "
    "scatter secure shelter shield simulate specialise specialize specify stabilise stabilize stimulate stipulate store "
    "strike strive submit substitute supersede supervise suppress surpass surround suspend sustain swallow swim "
    "symbolise symbolize synchronise synchronize tackle tempt terminate testify tolerate trace translate transmit "
    "transport trap undergo undertake unify uphold utilise utilize validate venture verify violate withdraw withhold "
    "witness accept achieve acknowledge act adapt add address adjust admit adopt advise affect agree allow amuse announce "
    "annoy apologise apologize appear apply appreciate approach argue arise arrive ask assess assume attract avoid "
    "become begin behave believe belong blame bore borrow break breathe bring build bury buy calculate carry catch "
    "cause celebrate choose clarify classify collect combine come comfort communicate compare compete complain "
    "complete comprise concentrate concern conclude confirm confuse connect consider consist contain continue "
    "contradict contribute convert convey convince cooperate correct create criticise criticize damage deal deceive "
    "decide decline decrease defend define delay deliver demand deny depend derive describe deserve destroy detect "
    "determine develop differ diminish disagree disappear disappoint discourage discover discuss distinguish distract "
    "distrust disturb divide draw drift drive earn eat embarrass emphasise emphasize employ enable encourage end enjoy "
    "ensure enter escalate establish evaluate examine exceed exclude exist expand expect explain explore express "
    "extend face facilitate fade fail fall feel fight fill find finish fix flood focus follow forbid force forget "
    "forgive form frustrate gain gather generate get give go govern grow handle happen harm hear heat help hide hold "
    "hurt identify ignore illustrate imagine imply impose improve include increase indicate influence inform inspire "
    "instruct insult intend interpret interrupt introduce invite involve isolate join judge keep kill know lack last "
    "laugh lead learn leave let lie limit listen live look lose love lower maintain make manage matter mean measure "
    "meet mention mirror miss mistake motivate move mute name need neglect negotiate nod notice observe obtain occur "
    "offend offer omit open oppose order organise organize own paraphrase participate pass pause pay perceive perform "
    "permit persuade phone pick place play point postpone practise praise prefer prepare present preserve prevent "
    "proceed produce prohibit prolong promise promote protect prove provide publish puncture punish push put puzzle "
    "raise reach react read realise realize receive recognise recognize recommend reduce refer reflect refuse regard "
    "reject relate relax release rely remain remember remind remove repair repeat replace reply report represent "
    "require resolve respect respond rest restore result return reveal reward roll ruin run satisfy save say schedule "
    "see seek seem select sell send separate serve settle shape share shift shorten show shut sigh signal simplify "
    "sit slam slow smile smooth soften solve sort sound spare speak spend spoil spread stand start state stay "
    "steady stem stonewall stop strengthen struggle stumble succeed suffer suggest suit summarise summarize sum "
    "supply support suppose surprise survive switch take talk teach tell tempt tend test thank think threaten thrive "
    "throw tire touch track train transform translate travel treat trigger trust try turn understand undermine unite "
    "update upset urge use value vary visit wait walk want warn waste watch weaken wear weigh welcome widen win wonder "
    "work worry write yield"
)
WEAK_VERBS = _words(
    "act answer approach attack attempt balance benefit blame break call care cause challenge change charge comment "
    "complete contact control copy cost cover cross deal delay demand design doubt drop effect end estimate "
    "exercise experience face fear fight fill fix focus force form function grant group guess guide hand harm heat hope "
    "hurt interest issue judge label lack last lie limit link list look lower mark matter measure mind mirror move name "
    "need note number object offer open order own pass pause phone place plan play point practice praise present "
    "process progress promise question range rank rate reach record regard release reply report request research "
    "respect rest result return review reward risk roll rule run separate serve shape share shift show signal slow "
    "sort sound spare stand start state step stop stress study subject suit sum supply support surprise switch talk "
    "target test touch track trade train transfer travel treat trust turn use value view visit voice wait walk waste "
    "watch welcome wish wonder work worry address advance aid alarm anger appeal dismiss cooperate shout whisper help"
) - _words("need show reach serve run turn use value travel help look treat touch move stand wait sound")
VERBS = STRONG_VERBS | WEAK_VERBS
"""Base forms. A verb in both lists counts as weak."""

_IRREGULAR = {
    "become": "became become", "begin": "began begun", "break": "broke broken", "bring": "brought brought",
    "build": "built built", "buy": "bought bought", "catch": "caught caught", "choose": "chose chosen",
    "come": "came come", "cost": "cost cost", "deal": "dealt dealt", "draw": "drew drawn", "drive": "drove driven",
    "eat": "ate eaten", "fall": "fell fallen", "feel": "felt felt", "fight": "fought fought", "find": "found found",
    "forbid": "forbade forbidden", "forget": "forgot forgotten", "forgive": "forgave forgiven", "get": "got got",
    "give": "gave given", "go": "went gone", "grow": "grew grown", "hear": "heard heard", "hide": "hid hidden",
    "hold": "held held", "hurt": "hurt hurt", "keep": "kept kept", "know": "knew known", "lead": "led led",
    "leave": "left left", "let": "let let", "lie": "lay lain", "lose": "lost lost", "make": "made made",
    "mean": "meant meant", "meet": "met met", "mistake": "mistook mistaken", "pay": "paid paid", "put": "put put",
    "read": "read read", "run": "ran run", "say": "said said", "see": "saw seen", "seek": "sought sought",
    "sell": "sold sold", "send": "sent sent", "show": "showed shown", "shut": "shut shut", "sit": "sat sat",
    "speak": "spoke spoken", "spend": "spent spent", "spread": "spread spread", "stand": "stood stood",
    "take": "took taken", "teach": "taught taught", "tell": "told told", "think": "thought thought",
    "throw": "threw thrown", "arise": "arose arisen", "bind": "bound bound", "foresee": "foresaw foreseen",
    "overcome": "overcame overcome", "oversee": "oversaw overseen", "rise": "rose risen", "strike": "struck struck",
    "strive": "strove striven", "swim": "swam swum", "undergo": "underwent undergone", "uphold": "upheld upheld",
    "undertake": "undertook undertaken", "withdraw": "withdrew withdrawn", "withhold": "withheld withheld",
    "lay": "laid laid", "knit": "knit knit", "rebuild": "rebuilt rebuilt", "repay": "repaid repaid", "understand": "understood understood", "upset": "upset upset", "wear": "wore worn",
    "win": "won won", "write": "wrote written", "have": "had had", "do": "did done", "be": "was been",
}  # fmt: skip
_DOUBLING = _words("admit begin get let omit permit plan put refer run shut sit slam stop stem spot trigger nod sum win")
_NO_DOUBLING = _words("trigger")


def third_person(base: str) -> str:
    """The form after he or she: carry, carries; do, does; have, has."""
    if base in ("have", "be"):
        return {"have": "has", "be": "is"}[base]
    if re.search(r"[^aeiou]y$", base):
        return base[:-1] + "ies"
    return base + ("es" if re.search(r"(s|x|z|ch|sh|o)$", base) else "s")


def gerund(base: str) -> str:
    """The form in -ing: make, making; stop, stopping; lie, lying."""
    if base.endswith("ie"):
        return base[:-2] + "ying"
    if base.endswith("e") and not base.endswith(("ee", "oe", "ye")):
        return base[:-1] + "ing"
    return base + (base[-1] if base in _DOUBLING - _NO_DOUBLING else "") + "ing"


def _past(base: str) -> str:
    if base.endswith("e"):
        return base + "d"
    if re.search(r"[^aeiou]y$", base):
        return base[:-1] + "ied"
    return base + (base[-1] if base in _DOUBLING - _NO_DOUBLING else "") + "ed"


@lru_cache(maxsize=1)
def _forms() -> dict[str, tuple[tuple[str, Tense], ...]]:
    table: dict[str, list[tuple[str, Tense]]] = {}

    def note(form: str, base: str, tense: Tense) -> None:
        table.setdefault(form, []).append((base, tense))

    for base in sorted(VERBS | {"have", "do"}):
        note(base, base, "base")
        note(third_person(base), base, "s")
        note(gerund(base), base, "ing")
        note(_IRREGULAR[base].split()[0] if base in _IRREGULAR else _past(base), base, "past")
    return {form: tuple(readings) for form, readings in table.items()}


PARTICIPLES = frozenset(pair.split()[1] for pair in _IRREGULAR.values())


def base_of(form: str, tense: Tense) -> str:
    """The base form of a verb met as `form` in that tense, or "" if no known verb looks like that."""
    return next((base for base, found in _forms().get(form.lower(), ()) if found == tense), "")


def is_strong(base: str) -> bool:
    """Whether the word is a verb wherever it could be one."""
    return base in STRONG_VERBS - WEAK_VERBS or base in ("have", "do")


def is_participle(word: str) -> bool:
    """Whether the word can follow has or is: given, asked, overlooked."""
    return word in PARTICIPLES or (word.endswith("ed") and len(word) > 4)


def is_gerund(word: str) -> bool:
    """Whether the word is the -ing form of a verb we know."""
    return bool(base_of(word, "ing"))


def is_adjective(word: str) -> bool:
    """Whether the word is an adjective more often than a noun or verb."""
    return word in ADJECTIVES or (len(word) > 6 and word.endswith(_ADJECTIVE_ENDINGS))


def is_adverb(word: str) -> bool:
    """Whether the word may stand between a subject and its verb."""
    return word in ADVERBS or (len(word) > 4 and word.endswith("ly") and word not in ADJECTIVES)


def is_plural(noun: str) -> bool:
    """Whether the noun takes a verb without -s."""
    word = noun.lower().replace("’", "'")
    if noun.isupper() or word.endswith("ics"):
        return False
    if word in IRREGULAR_PLURALS:
        return True
    return word.endswith("s") and not word.endswith(("ss", "us", "'s")) and word not in SINGULAR_IN_S


def is_person(noun: str) -> bool:
    """Whether a question about the noun asks who, not what."""
    word = noun.lower()
    if re.search(r"[a-z](?:ists?|icians?)$", word) and word not in ("list", "lists", "exist", "exists", "consist", "consists"):
        return True
    return word in PERSONS or (word.endswith("s") and word[:-1] in PERSONS)


def past(base: str) -> str:
    """The simple past: carry, carried; give, gave."""
    return _IRREGULAR[base].split()[0] if base in _IRREGULAR else _past(base)


_POST_MODIFIERS = PREPOSITIONS | RELATIVES | {"such", ","}


def number(subject: tuple[str, ...]) -> Literal["singular", "plural", "any"]:
    """Whether the verb after this subject is singular or plural; "any" where the words do not tell."""
    low = [word.lower() for word in subject]
    if not low or low == ["you"]:
        return "plural" if low else "any"
    if low[0] in INDEFINITES or low[0] in ("each", "every"):
        return "singular"
    head_end = next((at for at, word in enumerate(low) if at > 0 and word in _POST_MODIFIERS), len(low))
    head = [word for word in low[:head_end] if not is_adverb(word)] or low[:1]
    if is_gerund(low[0]) and low[0].endswith("ing"):
        return "any" if len(head) == 2 and is_plural(head[1]) else "singular"
    if "and" in head:
        return "plural"
    noun = next((word for word in reversed(head) if word[0] not in "“\""), head[-1])
    if any(word.isupper() and word.lower() == noun and len(word) > 1 for word in subject):
        return "singular"
    if "left" in head[1:] or "sent" in head[1:] or "made" in head[1:]:
        noun = head[next(at for at, word in enumerate(head) if at > 0 and word in ("left", "sent", "made")) - 1]
    if len(head) == 1 and is_adjective(noun):
        return "any"
    return "plural" if is_plural(noun) or noun in ("many", "few", "most", "some", "others") else "singular"
