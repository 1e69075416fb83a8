"""Words with capitals that name nobody in particular, and the countries of the world. Facts, no text of anybody.

Countries and what their people are called: the English short names of ISO 3166-1 and common usage. Read 2026-11.
"""

from __future__ import annotations

from typing import Final

_FUNCTION_WORDS = (
    "a an the this that these those and or but nor so yet if then than as at by for from in into of off on onto "
    "out over per to up via with without within about after before between during under until upon i you he she "
    "it we they me him her us them my your his its our their mine yours ours theirs who whom whose which what "
    "when where why how is are was were be been being am do does did done has have had having will would shall "
    "should can could may might must not no yes all any both each few more most other some such only own same "
    "too very just also here there now once again however therefore although because while since though unless "
    "whether i'm i've i'll i'd it's don't doesn't can't won't isn't aren't wasn't that's there's let's let "
    "please thanks thank hello hi hey dear ok okay"
)
FUNCTION_WORDS: Final = frozenset((*_FUNCTION_WORDS.split(), *_FUNCTION_WORDS.replace("'", "’").split()))
"""What no name consists of alone, nor ends with."""

_TECHNICAL = (
    "ai ml nlp llm llms api apis sdk ide cli gui ui ux url urls uri http https html css js json xml yaml toml "
    "csv pdf sql nosql rest graphql grpc tcp udp ip ipv dns dhcp ftp ssh ssl tls vpn vlan lan wan wifi cpu cpus "
    "gpu gpus tpu ram rom ssd hdd usb hdmi led lcd oled rgb gps nfc rfid iot os ios macos unix linux ubuntu "
    "debian fedora windows android python javascript typescript java kotlin php perl fortran matlab numpy pandas "
    "pytorch tensorflow keras django fastapi nodejs nextjs vue vuejs jquery webpack npm docker kubernetes "
    "terraform ansible jenkins git github gitlab bitbucket jira kafka redis mongodb mysql postgresql postgres "
    "sqlite nginx apache excel powerpoint chatgpt gpt claude gemini copilot llama qwen deepseek youtube whatsapp "
    "instagram tiktok facebook twitter linkedin google bluetooth playstation xbox aws gcp azure saas paas iaas "
    "devops ci cd qa kpi kpis okr crm erp hr pr seo roi faq faqs ceo cto cfo coo cio ciso vp mba bsc msc phd ba "
    "ma md dds gpa id ids pin otp pdfs ascii utf unicode regex oauth jwt csrf xss ssrf sha aes rsa uuid guid md5 "
    "base64 png jpg jpeg gif svg mp3 mp4 wav zip tar dna rna mrna covid hiv aids adhd ecg mri ct usd eur gbp rmb "
    "cny jpy inr aud cad btc eth gdp vat gmt utc est pst cet am pm asap fyi eta tbd tba ps nb aka eg ie etc vs "
    "rsvp diy rpg pvp npc usa uk eu uae ussr un nato who unesco gdpr hipaa ccpa iso ieee ansi iupac"
)
TECHNICAL: Final = frozenset(_TECHNICAL.split())
"""What programs, formats, degrees, currencies and bodies of the whole world are called."""

_EPONYMS = (
    "luhn levenshtein dijkstra fourier bayes bayesian gauss gaussian euler eulerian fibonacci turing boolean "
    "markov newton newtonian pythagoras pythagorean euclid euclidean cartesian kalman poisson bernoulli laplace "
    "laplacian lagrange lagrangian hamming huffman hilbert jacobian hessian fermat mersenne mandelbrot nash "
    "pareto gini likert celsius fahrenheit kelvin richter darwinian freudian keynesian marxist marxism marxian "
    "hadoop bellman pearson spearman kolmogorov shapley benford moore"
)
EPONYMS: Final = frozenset(_EPONYMS.split())
"""Names of people that became words of science."""

_MEDICINES = (
    "paracetamol acetaminophen ibuprofen aspirin penicillin amoxicillin insulin metformin lipitor atorvastatin "
    "simvastatin rosuvastatin lisinopril amlodipine losartan omeprazole pantoprazole prednisone levothyroxine "
    "warfarin heparin gabapentin sertraline fluoxetine prozac zoloft xanax valium diazepam lorazepam tramadol "
    "morphine oxycodone fentanyl viagra botox tylenol advil naproxen diclofenac azithromycin doxycycline "
    "ciprofloxacin hydrochlorothiazide furosemide salbutamol albuterol ventolin montelukast cetirizine "
    "loratadine ritalin adderall methylphenidate clopidogrel alzheimer alzheimer's parkinson parkinson's crohn "
    "crohn's hodgkin's ebola zika"
)
MEDICINES: Final = frozenset(_MEDICINES.split())

_COUNTRIES = (
    "Afghanistan|Albania|Algeria|Andorra|Angola|Argentina|Armenia|Australia|Austria|Azerbaijan|Bahamas|Bahrain|"
    "Bangladesh|Barbados|Belarus|Belgium|Belize|Benin|Bhutan|Bolivia|Bosnia and Herzegovina|Bosnia|Botswana|"
    "Brazil|Brunei|Bulgaria|Burkina Faso|Burundi|Cambodia|Cameroon|Canada|Cape Verde|Central African Republic|"
    "Chad|Chile|China|Colombia|Comoros|Congo|Costa Rica|Croatia|Cuba|Cyprus|Czech Republic|Czechia|Denmark|"
    "Djibouti|Dominica|Dominican Republic|Ecuador|Egypt|El Salvador|England|Equatorial Guinea|Eritrea|Estonia|"
    "Eswatini|Ethiopia|Europe|Africa|Asia|Fiji|Finland|France|Gabon|Gambia|Georgia|Germany|Ghana|Great Britain|"
    "Britain|Greece|Greenland|Grenada|Guatemala|Guinea|Guyana|Haiti|Honduras|Hong Kong|Hungary|Iceland|India|"
    "Indonesia|Iran|Iraq|Ireland|Israel|Italy|Ivory Coast|Jamaica|Japan|Jordan|Kazakhstan|Kenya|Kiribati|Kosovo|"
    "Kuwait|Kyrgyzstan|Laos|Latvia|Lebanon|Lesotho|Liberia|Libya|Liechtenstein|Lithuania|Luxembourg|Macau|"
    "Madagascar|Malawi|Malaysia|Maldives|Mali|Malta|Mauritania|Mauritius|Mexico|Micronesia|Moldova|Monaco|"
    "Mongolia|Montenegro|Morocco|Mozambique|Myanmar|Namibia|Nauru|Nepal|Netherlands|New Zealand|Nicaragua|Niger|"
    "Nigeria|North Korea|North Macedonia|Northern Ireland|Norway|Oman|Pakistan|Palau|Palestine|Panama|"
    "Papua New Guinea|Paraguay|Peru|Philippines|Poland|Portugal|Puerto Rico|Qatar|Romania|Russia|Rwanda|Samoa|"
    "San Marino|Saudi Arabia|Scotland|Senegal|Serbia|Seychelles|Sierra Leone|Singapore|Slovakia|Slovenia|Somalia|"
    "South Africa|South Korea|South Sudan|Soviet Union|Spain|Sri Lanka|Sudan|Suriname|Sweden|Switzerland|Syria|"
    "Taiwan|Tajikistan|Tanzania|Thailand|Tibet|Togo|Tonga|Trinidad and Tobago|Tunisia|Turkey|Turkmenistan|Uganda|"
    "Ukraine|United Arab Emirates|United Kingdom|United States|Uruguay|Uzbekistan|Vanuatu|Vatican|Venezuela|"
    "Vietnam|Wales|Yemen|Yugoslavia|Zambia|Zimbabwe"
)
_STATES_AND_CITIES = (
    "Alabama|Alaska|Arizona|Arkansas|California|Colorado|Connecticut|Delaware|Florida|Hawaii|Idaho|Illinois|"
    "Indiana|Iowa|Kansas|Kentucky|Louisiana|Maine|Maryland|Massachusetts|Michigan|Minnesota|Mississippi|Missouri|"
    "Montana|Nebraska|Nevada|New Hampshire|New Jersey|New Mexico|New York|North Carolina|North Dakota|Ohio|"
    "Oklahoma|Oregon|Pennsylvania|Rhode Island|South Carolina|South Dakota|Tennessee|Texas|Utah|Vermont|"
    "West Virginia|Wisconsin|Wyoming|Ontario|Quebec|British Columbia|Queensland|New South Wales|Bavaria|"
    "Catalonia|Los Angeles|San Francisco|San Diego|Chicago|Boston|Seattle|Miami|Dallas|Houston|Atlanta|Denver|"
    "Detroit|Philadelphia|Las Vegas|New Orleans|Toronto|Montreal|Vancouver|London|Manchester|Birmingham|"
    "Liverpool|Glasgow|Edinburgh|Dublin|Paris|Lyon|Marseille|Berlin|Hamburg|Munich|Cologne|Frankfurt|Vienna|"
    "Zurich|Geneva|Rome|Milan|Naples|Madrid|Barcelona|Lisbon|Amsterdam|Rotterdam|Brussels|Copenhagen|Stockholm|"
    "Oslo|Helsinki|Warsaw|Prague|Budapest|Athens|Istanbul|Ankara|Moscow|Kyiv|Cairo|Lagos|Nairobi|Johannesburg|"
    "Cape Town|Dubai|Abu Dhabi|Riyadh|Jeddah|Doha|Tehran|Baghdad|Beirut|Jerusalem|Tel Aviv|Mumbai|Delhi|"
    "New Delhi|Bangalore|Bengaluru|Chennai|Hyderabad|Kolkata|Pune|Karachi|Lahore|Islamabad|Dhaka|Kathmandu|"
    "Bangkok|Hanoi|Jakarta|Manila|Kuala Lumpur|Seoul|Tokyo|Osaka|Kyoto|Beijing|Shanghai|Shenzhen|Guangzhou|"
    "Sydney|Melbourne|Brisbane|Perth|Auckland|EU|USSR|Mexico City|Buenos Aires|Santiago|Bogota|Lima|Sao Paulo|"
    "Rio de Janeiro"
)
PLACES: Final = (*_COUNTRIES.split("|"), *_STATES_AND_CITIES.split("|"))
"""Countries, states of the United States and a few others, and cities that all know."""

_ALSO_WORDS = (
    "Chad|Cuba|Georgia|Guinea|Jordan|Mali|Turkey|Perth|China|Milan|Lima|Cologne|Congo|Niger|Benin|Santiago|Maine|"
    "Delaware|Montana|Vatican|Dominica|Grenada|Jersey|Samoa|Tonga|Houston|Dallas|Denver|Virginia|Florence|Paris|"
    "London|Lyon|Oman|Wales|Palau|Asia|Boston|Naples|Togo|Fiji|Pune|Nauru|Orlando|Laos|Peru|Troy|Austin|Madison|"
    "Jackson|Savannah|Sydney"
)
ALSO_WORDS: Final = frozenset(_ALSO_WORDS.split("|"))
"""Places whose names in lower case are words, or people's names: they count only with their capital."""

_PEOPLES = (
    "Afghan Albanian Algerian American Angolan Argentine Argentinian Armenian Australian Austrian Azerbaijani "
    "Bahraini Bangladeshi Belarusian Belgian Belizean Belizian Bolivian Bosnian Brazilian British Briton "
    "Bruneian Bulgarian Burmese Cambodian Cameroonian Canadian Catalan Chilean Chinese Colombian Congolese "
    "Croatian Cuban Cypriot Czech Danish Dane Dominican Dutch Ecuadorean Ecuadorian Egyptian Emirati English "
    "Englishman Eritrean Estonian Ethiopian European African Asian Filipino Finnish Finn French Frenchman "
    "Georgian German Ghanaian Greek Guatemalan Haitian Honduran Hungarian Icelandic Indian Indonesian Iranian "
    "Iraqi Irish Irishman Israeli Italian Jamaican Japanese Jordanian Kazakh Kenyan Korean Kosovar Kurdish Kurd "
    "Kuwaiti Kyrgyz Laotian Latvian Lebanese Liberian Libyan Lithuanian Luxembourger Macedonian Malaysian "
    "Maltese Mauritian Mexican Moldovan Mongolian Montenegrin Moroccan Mozambican Namibian Nepalese Nepali "
    "Nicaraguan Nigerian Norwegian Omani Pakistani Palestinian Panamanian Paraguayan Peruvian Polish Portuguese "
    "Qatari Romanian Russian Rwandan Saudi Scottish Scot Senegalese Serb Serbian Singaporean Slovak Slovakian "
    "Slovene Slovenian Somali Spanish Spaniard Sudanese Surinamese Swede Swedish Swiss Syrian Taiwanese Tajik "
    "Tanzanian Thai Tibetan Tunisian Turkish Turk Turkmen Ugandan Ukrainian Uruguayan Uyghur Uzbek Venezuelan "
    "Vietnamese Welsh Yemeni Zambian Zimbabwean Arab Arabian Jew Jewish Muslim Christian Catholic Protestant "
    "Hindu Buddhist Sikh Sunni Shia Shiite Roma Latino Latina Hispanic Caucasian"
)
PEOPLES: Final = frozenset(_PEOPLES.split())
"""Nationality, descent and religion of a person, in the singular and as an adjective."""
