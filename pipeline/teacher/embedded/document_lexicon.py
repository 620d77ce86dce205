"""The English words that the document rules know: closed classes, adjectives, persons and verbs."""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """The words of a text as a set."""
    return frozenset(text.split())


BE = words("is are was were am")
MODALS = words("can could may might must shall should will would cannot")
DO = words("do does did")
HAVE = words("has have had")
AUXILIARIES = BE | MODALS | DO | HAVE
NEGATIONS = words("not never")
ARTICLES = words("a an the")
POSSESSIVES = words("my your his her its our their whose")
DEMONSTRATIVES = words("this these those such")
NUMERALS = words(
    "one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty fifty hundred first "
    "second third"
)
QUANTIFIERS = words("all any both each either enough every few fewer less many more most much neither no several some")
DETERMINERS = ARTICLES | POSSESSIVES | DEMONSTRATIVES | NUMERALS | QUANTIFIERS | {"another", "other", "that"}
PREPOSITIONS = words(
    "about above across after against along among around as at before behind below beneath beside between beyond by "
    "despite down during except for from in inside into like near of off on onto out outside over past per since "
    "than through throughout to toward towards under until up upon via with within without"
)
STRANDABLE = words("about after against at between for from in into like of on over through to towards upon with")
SUBORDINATORS = words(
    "although because before after if once since so than that though till unless until when whenever where whereas "
    "whether which while who whom whose what how why whoever whatever as"
)
RELATIVES = words("who which that whom whose when while where if what how")
INDEFINITES = words(
    "anybody anyone anything everybody everyone everything nobody none nothing somebody someone something whoever"
)
THIRD_PERSON = words("he him his himself she her hers herself it its itself they them their theirs themselves")
FIRST_PERSON = words("i me my mine myself we us our ours ourselves")
SUBJECT_PRONOUNS = words("i you he she it we they")
ADVERBS = words(
    "always often usually seldom rarely never sometimes frequently generally normally regularly commonly typically "
    "also only merely simply really just even still already soon quickly slowly easily clearly actually directly "
    "nearly almost mostly mainly partly largely fully therefore thus now then today too very quite early late well "
    "badly exactly politely together apart away back aside instead further once twice first again"
)
PREVERBAL = words(
    "always often usually seldom rarely never sometimes frequently generally normally commonly typically also only "
    "merely simply really just even still already soon hardly mostly mainly"
)
"""Adverbs that belong to the verb behind them; others before a verb may belong to the subject."""
CONNECTIVES = (
    "However", "Therefore", "Moreover", "Furthermore", "In addition", "For example", "For instance", "Also", "Thus",
    "Of course", "In short", "In fact", "As a result", "Nevertheless", "Still", "Besides", "Finally", "Indeed",
    "On the other hand", "At the same time", "By contrast", "In contrast", "Similarly", "Likewise", "Consequently",
)  # fmt: skip
IRREGULAR_PLURALS = words(
    "cacti fungi bacteria wives people children men women feet teeth mice geese police staff data media criteria "
    "emoji those"
)
SINGULAR_IN_S = words(
    "news politics physics mathematics economics ethics analysis basis crisis emphasis thesis process success access "
    "progress business focus status bus gas series always perhaps less this his its is was has does yes us plus thus"
)
PERSONS = words(
    "fixer helper stranger newcomer tenant landlord farmer soldier sailor king queen president minister mayor "
    "priest bishop monk nun scholar merchant trader inventor passenger driver pilot engineer builder cook baker "
    "carer guardian heir victim witness suspect defendant debtor creditor lender borrower investor shareholder "
    "taxpayer volunteer refugee settler girl boy mother father son daughter brother husband wife infant toddler "
    "teenager pensioner consumer subscriber host tourist chaplain provider applicant player voter veteran donor "
    "buyer seller lawyer judge nurse pupil neighbour neighbor baby adult asker author boss caller chairperson "
    "chairman child citizen client coach colleague commander couple customer doctor employee expert friend guest "
    "human individual interviewer leader learner lecturer listener man manager member nurse officer opponent owner "
    "parent participant partner patient people person physician player reader researcher scientist sender sister "
    "sister soldier speaker staff student teacher team teller trainer user visitor woman worker writer nobody "
    "someone somebody anyone everyone everybody whoever"
)
ADJECTIVES = words(
    "able absent abstract active afraid angry bad best better big brief bright busy calm capital careful cheap "
    "clear clever closed cold common complete concrete crossed daily dangerous deep defensive different difficult "
    "direct early easy empty exact fair false famous fast final fine firm formal free fresh friendly full general "
    "gentle glad good grand great happy hard harmful harsh heated heavy helpful hesitant hidden high honest hostile "
    "human important indirect inferior kind large last late leading likely little local long loud low main major "
    "mere minor modern most narrow necessary negative nervous new next nonverbal odd old only open ordinary passive "
    "passive-aggressive personal plain polite poor positive possible precise present private proper public quick "
    "quiet rare ready real recent regular remote respectful right rude sad safe same satisfied second serious "
    "shared sharp short shy sick silent similar simple slow small social soft sour special specific strange strong "
    "sudden sure sweet tall thick thin tiny tired true trusted unclear unfair unsafe useful usual vague valuable "
    "verbal warm weak whole wide wise wrong young written sarcastic numbered online visual spoken mutual emotional "
    "physical mental cultural various national international federal military military medical legal political "
    "economic natural original additional"
)
COMPARATIVES = words(
    "better worse more less fewer longer shorter kinder faster slower easier harder larger smaller calmer louder "
    "warmer colder stronger weaker clearer safer sooner later earlier higher lower richer older younger quicker "
    "gentler fuller deeper wider simpler greater cheaper bigger"
)
# Verbs that are seldom anything else, and verbs that are as often nouns or adjectives: the second kind is
# believed only where no word of the first kind could be the verb.
STRONG_VERBS = words(
    "abandon absorb accompany accomplish account activate administer advocate align allocate alter amend analyse "
    "analyze anticipate appoint approve arrange assert assign assist attach attain authorise authorize await ban "
    "bind boost capture cease characterise characterize circumvent cite clear coincide compel compile compute "
    "concede condemn confer confine confront conserve constitute construct consult consume contend contest contrast "
    "cope counter cultivate cure decrease dedicate deem degrade depict deploy deprive descend deter devote dictate "
    "diagnose differentiate digest direct disclose display dispose disrupt dissolve distort distribute diversify "
    "dominate donate educate elect eliminate embody embrace emerge enact encounter endure enforce engage enhance "
    "enlarge enrich ensue entail entitle equip evolve exclude execute exert exhibit exploit export expose foresee "
    "foster found fulfil fulfill function fund furnish generalise generalize govern guarantee halt harvest hinder "
    "host house implement import incorporate incur induce infer inhabit inherit inhibit initiate inject injure "
    "innovate inspect install integrate impact intensify interact interfere invade invent invest investigate "
    "irritate justify knit lay lift link load locate manipulate manufacture marry mediate merge migrate minimise "
    "minimize mobilise mobilize modify monitor multiply necessitate nurture obey oblige occupy operate overcome "
    "overlap oversee perpetuate persist possess pour prescribe preside presume prevail print prioritise prioritize "
    "project prompt propose prosper provoke purchase pursue qualify quote react reassure rebuild reconcile recover "
    "recruit regain register regulate reinforce rely render renew repay rescue resemble resign resist retain "
    "retire retrieve revise revive rise rotate sacrifice safeguard sanction scatter secure shelter shield simulate "
    "specialise specialize specify stabilise stabilize stimulate stipulate store strike strive submit substitute "
    "supersede supervise suppress surpass surround suspend sustain swallow swim symbolise symbolize synchronise "
    "synchronize tackle tempt terminate testify tolerate trace translate transmit transport trap undergo undertake "
    "unify uphold utilise utilize validate venture verify violate withdraw withhold witness accept achieve "
    "acknowledge act adapt add address adjust admit adopt advise affect agree allow amuse announce annoy apologise "
    "apologize appear apply appreciate approach argue arise arrive ask assess assume attract avoid become begin "
    "behave believe belong blame bore borrow break breathe bring build bury buy calculate carry catch cause "
    "celebrate choose clarify classify collect combine come comfort communicate compare compete complain complete "
    "comprise concentrate concern conclude confirm confuse connect consider consist contain continue contradict "
    "contribute convert convey convince cooperate correct create criticise criticize damage deal deceive decide "
    "decline decrease defend define delay deliver demand deny depend derive describe deserve destroy detect "
    "determine develop differ diminish disagree disappear disappoint discourage discover discuss distinguish "
    "distract distrust disturb divide draw drift drive earn eat embarrass emphasise emphasize employ enable "
    "encourage end enjoy ensure enter escalate establish evaluate examine exceed exclude exist expand expect "
    "explain explore express extend face facilitate fade fail fall feel fight fill find finish fix flood focus "
    "follow forbid force forget forgive form frustrate gain gather generate get give go govern grow handle happen "
    "harm hear heat help hide hold hurt identify ignore illustrate imagine imply impose improve include increase "
    "indicate influence inform inspire instruct insult intend interpret interrupt introduce invite involve isolate "
    "join judge keep kill know lack last laugh lead learn leave let lie limit listen live look lose love lower "
    "maintain make manage matter mean measure meet mention mirror miss mistake motivate move mute name need neglect "
    "negotiate nod notice observe obtain occur offend offer omit open oppose order organise organize own paraphrase "
    "participate pass pause pay perceive perform permit persuade phone pick place play point postpone practise "
    "praise prefer prepare present preserve prevent proceed produce prohibit prolong promise promote protect prove "
    "provide publish puncture punish push put puzzle raise reach react read realise realize receive recognise "
    "recognize recommend reduce refer reflect refuse regard reject relate relax release rely remain remember remind "
    "remove repair repeat replace reply report represent require resolve respect respond rest restore result return "
    "reveal reward roll ruin run satisfy save say schedule see seek seem select sell send separate serve settle "
    "shape share shift shorten show shut sigh signal simplify sit slam slow smile smooth soften solve sort sound "
    "spare speak spend spoil spread stand start state stay steady stem stonewall stop strengthen struggle stumble "
    "succeed suffer suggest suit summarise summarize sum supply support suppose surprise survive switch take talk "
    "teach tell tempt tend test thank think threaten thrive throw tire touch track train transform translate travel "
    "treat trigger trust try turn understand undermine unite update upset urge use value vary visit wait walk want "
    "warn waste watch weaken wear weigh welcome widen win wonder work worry write yield"
)
WEAK_VERBS = words(
    "rent act answer approach attack attempt balance benefit blame break call care cause challenge change charge "
    "comment complete contact control copy cost cover cross deal delay demand design doubt drop effect end estimate "
    "exercise experience face fear fight fill fix focus force form function grant group guess guide hand harm heat "
    "hope command impact hurt interest issue judge label lack last lie limit link list look lower mark matter "
    "measure mind mirror move name need note number object offer open order own pass pause phone place plan play "
    "point practice praise present process progress promise question range rank rate reach record regard release "
    "reply report request research respect rest result return review reward risk roll rule run separate serve shape "
    "share shift show signal slow sort sound spare stand start state step stop stress study subject suit sum supply "
    "support surprise switch talk target test touch track trade train transfer travel treat trust turn use value "
    "view visit voice wait walk waste watch welcome wish wonder work worry address advance aid alarm anger appeal "
    "dismiss cooperate shout whisper help"
) - words("need show reach serve run turn use value travel help look treat touch move stand wait sound")
VERBS = STRONG_VERBS | WEAK_VERBS
"""Base forms. A verb in both lists counts as weak."""
