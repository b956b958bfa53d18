/** Names of system emoji that a reaction may have. The server knows a few thousand; these are the ones people use. */
const NAMES = `
+1 -1 100 1234 8ball a ab abc airplane alarm_clock alien ambulance anchor angel anger angry anguished ant apple
arrow_down arrow_left arrow_right arrow_up arrows_counterclockwise art astonished b baby back balloon ban bangbang
bar_chart battery bear beer beers beetle bell bike bird birthday black_circle blossom blue_heart blush boat bomb book
bookmark books boom bow boy brain bread briefcase broken_heart bug building_construction bulb bus butterfly cactus
cake calendar camera cat chart_with_downwards_trend chart_with_upwards_trend checkered_flag cherry_blossom chicken
christmas_tree clap clapper clipboard clock1 clock3 clock9 closed_lock_with_key cloud clown_face coffee cold_sweat
collision computer confetti_ball confounded confused construction construction_worker cookie cool cop
credit_card crossed_fingers crown cry crystal_ball cupid cyclone dancer dart dash date dizzy dizzy_face dog
dollar door doughnut dragon droplet ear earth_africa earth_americas earth_asia egg electric_plug elephant email
end envelope exclamation exploding_head expressionless eye eyes face_with_monocle face_with_raised_eyebrow facepalm
factory fallen_leaf fax fearful file_folder fire fire_engine firecracker fireworks fish fist flag-us flags flashlight floppy_disk
flushed fog footprints four_leaf_clover fox_face free frog gear gem ghost gift globe_with_meridians goat grapes
green_apple green_heart grey_exclamation grey_question grimacing grin grinning guitar gun hammer hammer_and_wrench
hamster hand handshake hankey hatching_chick headphones hear_no_evil heart heart_eyes heartbeat heavy_check_mark
heavy_minus_sign heavy_multiplication_x heavy_plus_sign herb hole honeybee horse hospital hotdog hourglass
hourglass_flowing_sand house hugging_face hushed ice_cream inbox_tray information_source innocent interrobang iphone
jack_o_lantern joy key keyboard kiss knife koala label lab_coat ladder ladybug laughing leaves ledger lemon link lion
lips lock lock_with_ink_pen loop loudspeaker love_letter lying_face mag mag_right magnet mailbox man mango map mask medal
mega memo metal microphone microscope milky_way minidisc money_with_wings moneybag monkey monkey_face moon mortar_board
mountain mouse movie_camera muscle mushroom musical_note mute name_badge nauseated_face nerd_face neutral_face new
newspaper next_track_button no_bell no_entry no_entry_sign no_good no_mouth nose notebook notes nut_and_bolt o octopus
ok ok_hand ok_woman old_key on open_book open_file_folder open_hands open_mouth orange_heart outbox_tray ox package
page_facing_up palm_tree panda_face paperclip parrot party_popper partying_face pause_button peace_symbol peach
pencil pencil2 penguin pensive performing_arts persevere phone pig pill pineapple pizza play_or_pause_button
point_down point_left point_right point_up point_up_2 police_car poop pouting_cat pray printer purple_heart pushpin
put_litter_in_its_place question rabbit racing_car rage rainbow raised_hand raised_hands raising_hand recycle
red_circle relaxed relieved repeat reverse revolving_hearts ribbon rice ring robot robot_face rocket roller_coaster
rolling_on_the_floor_laughing rose rotating_light runner running sad santa satellite satisfied scissors scream scroll
seedling see_no_evil shaking_hands shield ship shipit shit shower shrug shushing_face sleeping sleepy slightly_frowning_face
slightly_smiling_face sloth slot_machine smile smiley smiling_face_with_3_hearts smirk snail snake sneezing_face
snowflake snowman sob soccer soon sos sound sparkle sparkles sparkling_heart speak_no_evil speaker speech_balloon
spider star star-struck star2 stars stop_button stop_sign stopwatch stuck_out_tongue
stuck_out_tongue_winking_eye sun_with_face sunflower sunglasses sunny sunrise sweat sweat_drops sweat_smile tada taco
telephone telescope tent test_tube thinking thinking_face thought_balloon thumbsdown thumbsup ticket tiger timer_clock
tired_face tongue toolbox tools tornado tractor traffic_light train triangular_flag_on_post triumph trophy truck tulip
turtle tv two_hearts umbrella unamused unicorn unicorn_face unlock up upside_down_face v vertical_traffic_light
video_camera video_game violin volcano vulcan_salute walking warning wastebasket watch watermelon wave weary whale wheel
wheelchair white_check_mark white_circle white_flag wilted_flower wind_chime wine_glass wink wolf woman woozy_face
worried wrench x yawning_face yellow_heart yum zap zipper_mouth_face zzz
zero one two three four five six seven eight nine keycap_ten`;

const KNOWN = new Set(NAMES.trim().split(/\s+/));

/** True for the name of a system emoji, without colons; skin tones of a known emoji count. */
export function isEmoji(name: string): boolean {
  return KNOWN.has(name.replace(/_(light|medium_light|medium|medium_dark|dark)_skin_tone$/, ''));
}
